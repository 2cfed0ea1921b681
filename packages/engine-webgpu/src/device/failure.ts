/**
 * Watches a device for failures that WebGPU does not throw: validation errors, exhausted memory and the loss of the device.
 *
 * A failed operation leaves zeros, and a training would continue with them. This class keeps the first failure and throws it from then on whenever it is
 * asked.
 */
export class DeviceFailure {
  #error: Error | null = null;
  #stopped = false;
  readonly #used: () => number;

  /**
   * @param device - the device to watch.
   * @param bytesInUse - memory of tensors on it, for the message.
   */
  constructor(device: GPUDevice, bytesInUse: () => number) {
    this.#used = bytesInUse;
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault(); // it is reported by what runs next
      this.#fail(this.#describe(event.error));
    });
    // the promise never rejects
    void device.lost.then(({ reason, message }) => {
      if (this.#stopped) return;
      this.#fail(
        `the GPU was lost (${reason}): ${firstLine(message)}. Its memory is gone: start the engine again and resume from the last checkpoint. ` +
          'A driver that was reset, a kernel that ran for too long, or memory that ran out are the usual causes.',
      );
    });
  }

  /** From now on, the loss of the device is expected and no failure. */
  expectLoss(): void {
    this.#stopped = true;
    this.#error ??= new Error(
      "engine-webgpu: the engine has been stopped and its tensors are gone. Call `await startEngine('webgpu')` to start it again.",
    );
  }

  /** Whether the device has failed, or has been stopped. */
  get failed(): boolean {
    return this.#error !== null;
  }

  /** @throws Error if the device has failed. */
  check(): void {
    if (this.#error) throw this.#error;
  }

  #fail(message: string): void {
    this.#error ??= new Error(`engine-webgpu: ${message}`);
  }

  #describe(error: GPUError): string {
    if (error.constructor.name === 'GPUOutOfMemoryError') {
      const used = (this.#used() / 2 ** 20).toFixed(1);
      return (
        `the memory of the GPU is exhausted: ${firstLine(error.message)} (${used} MiB of tensors are in use). ` +
        'Lower the batch size or the image size and resume from the last checkpoint.'
      );
    }
    return `the GPU refused an operation, and every result since then is worthless: ${error.message.trim()}`;
  }
}

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').replace(/\.$/, '');
