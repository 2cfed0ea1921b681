import type * as nodeModules from '../src/node-module.ts';

/** What the file system is to say to the next writes, and to the next openings of a file to write. */
export const faults = { write: null as string | null, open: null as string | null };

const failure = (code: string): Error => Object.assign(new Error(`${code}: from the test`), { code });

/** `node-module.ts` with a file system that fails as {@link faults} says: for `vi.mock`. */
export function withFaultyFiles(real: typeof nodeModules): typeof nodeModules {
  const files = real.nodeModule('node:fs/promises') as typeof import('node:fs/promises');
  const faulty = {
    ...files,
    open: async (path: string, flags: string) => {
      if (faults.open && flags !== 'r') throw failure(faults.open);
      const file = await files.open(path, flags);
      // a full disk takes a part and then fails
      const part = (data: string | Uint8Array) => data.slice(0, data.length / 2);
      const { writeFile, appendFile } = file;
      file.writeFile = async (data) => {
        await writeFile.call(file, faults.write ? part(data as string) : data);
        if (faults.write) throw failure(faults.write);
      };
      file.appendFile = async (data) => {
        await appendFile.call(file, faults.write ? part(data as string) : data);
        if (faults.write) throw failure(faults.write);
      };
      return file;
    },
  };
  const nodeModule = ((name: Parameters<typeof real.nodeModule>[0]) =>
    name === 'node:fs/promises' ? faulty : real.nodeModule(name)) as typeof real.nodeModule;
  return { ...real, nodeModule, neededNodeModule: (name) => nodeModule(name) as never };
}
