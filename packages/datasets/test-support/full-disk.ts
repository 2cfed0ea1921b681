import { type FileHandle, open } from 'node:fs/promises';

/** Runs with a disk that has no room: every write fails as one to Linux's `/dev/full` does. */
export async function fullDisk<T>(run: () => Promise<T>): Promise<T> {
  const device = await open('/dev/full', 'w');
  const handles = Object.getPrototypeOf(device) as FileHandle;
  const write = handles.write;
  handles.write = ((...args: Parameters<FileHandle['write']>) =>
    Reflect.apply(write, device, [args[0], args[1], args[2], null])) as FileHandle['write'];
  try {
    return await run();
  } finally {
    handles.write = write;
    await device.close();
  }
}
