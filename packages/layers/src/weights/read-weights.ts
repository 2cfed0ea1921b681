import { argumentError, isArgumentError } from '@tfjs-ssl/checks';
import { fileError, neededNodeModule } from '@tfjs-ssl/files';
import { decodeSafetensors, type Safetensors } from '@tfjs-ssl/safetensors';

/** What {@link readWeights} returns: tensors and metadata. */
export type WeightsFile = Safetensors;

/** A file of weights: its path (Node), its bytes (anywhere), or the result of {@link readWeights}. */
export type WeightsSource = string | Uint8Array | WeightsFile;

/** Choices for {@link readWeights}. */
export interface ReadWeightsOptions {
  /** Function name in error messages. Default `'readWeights'`. */
  readonly caller?: string;
  /** Bytes to read at a time; Node reads less than 2 GiB at once. Default 1 GiB. */
  readonly part?: number;
}

/**
 * Reads a safetensors file: its tensors, in PyTorch's layouts, and its metadata. The file may have any size that fits into memory.
 *
 * @param source - path of a file (Node), or the bytes of a file (anywhere).
 * @param options - the name in errors, and how much is read at a time.
 * @returns tensors and metadata.
 * @throws RangeError if the file is not a safetensors file, with what it is instead; Error if it cannot be read.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { encodeWeights, readWeights } from '@tfjs-ssl/layers';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * const { tensors, metadata } = await readWeights(await encodeWeights(resnet18({ width: 8 })));
 * console.log(metadata.architecture, tensors['conv1.weight']?.shape); // resnet18 [8, 3, 7, 7]
 * ```
 */
export async function readWeights(source: WeightsSource, options: ReadWeightsOptions = {}): Promise<WeightsFile> {
  const { caller = 'readWeights', part = 2 ** 30 } = options;
  if (source instanceof Uint8Array) return decodeSafetensors(source);
  if (typeof source !== 'string') return source;
  const bytes = await readInParts(source, caller, part);
  try {
    return decodeSafetensors(bytes);
  } catch (error) {
    if (!isArgumentError(error)) throw error;
    const argument = error.argument === 'the file' ? source : `${error.argument} in ${source}`;
    throw argumentError({ ...error, fn: caller, argument });
  }
}

async function readInParts(path: string, caller: string, part: number): Promise<Uint8Array> {
  const need = `${caller}: a path needs Node's file system, which is missing. Pass the bytes instead.`;
  const { open } = neededNodeModule('node:fs/promises', need);
  try {
    const file = await open(path);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) return await file.readFile(); // a pipe has no size, and a folder has its error
      const bytes = new Uint8Array(stat.size);
      let read = 0;
      while (read < stat.size) {
        const { bytesRead } = await file.read(bytes, read, Math.min(part, stat.size - read), read);
        if (bytesRead === 0) break; // it shrank; the header tells
        read += bytesRead;
      }
      return bytes.subarray(0, read);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Error(`${caller}: ${fileError('read', path, error).message}`, { cause: error });
  }
}
