import type * as nodeModules from '../src/node-module.ts';

/** What the file system is to say: to writes, to openings of a file to write. */
export const faults = {
  write: null as string | null,
  open: null as string | null,
  /** To the syncing of folders. */
  syncFolder: null as string | null,
  /** To renames, and to how many. */
  rename: null as string | null,
  renames: 0,
};

/** Takes all faults back. */
export function repair(): void {
  Object.assign(faults, { write: null, open: null, syncFolder: null, rename: null, renames: 0 });
}

const failure = (code: string): Error => Object.assign(new Error(`${code}: from the test`), { code });

/** `node-module.ts` with a file system that fails as {@link faults} says: for `vi.mock`. */
export function withFaultyFiles(real: typeof nodeModules): typeof nodeModules {
  const files = real.nodeModule('node:fs/promises') as typeof import('node:fs/promises');
  const faulty = {
    ...files,
    rename: async (from: string, to: string) => {
      if (faults.rename && faults.renames-- > 0) throw failure(faults.rename);
      await files.rename(from, to);
    },
    open: async (path: string, flags: string) => {
      if (faults.open && flags !== 'r') throw failure(faults.open);
      const file = await files.open(path, flags);
      // a full disk takes a part and then fails
      const part = (data: string | Uint8Array) => data.slice(0, data.length / 2);
      const { writeFile, appendFile, sync } = file;
      file.sync = async () => {
        if (faults.syncFolder && (await file.stat()).isDirectory()) throw failure(faults.syncFolder);
        await sync.call(file);
      };
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
