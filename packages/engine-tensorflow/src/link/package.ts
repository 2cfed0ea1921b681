import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { addonPath, findAddon, type LinkRecord, packageNames, recordPath, TFJS_NODE_VERSION } from '../find-addon.ts';
import { LinkError, type Run, tail } from './system.ts';

/** npm leaves package.json and the lock file alone, and runs no script of a package: nothing is downloaded beside packages. */
const quietly = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
const [, cpuPackage] = packageNames;

/** The package to link, and whether it was installed for that. */
export interface InstalledPackage {
  readonly name: string;
  readonly folder: string;
  readonly installed: boolean;
}

/**
 * Finds tfjs-node in a project, or installs it beside the lock file without its download.
 *
 * @throws LinkError where another version is there, or npm fails.
 */
export function ensurePackage(run: Run, project: string): InstalledPackage {
  const there = findAddon([project]);
  if (there) {
    if (there.version !== TFJS_NODE_VERSION) {
      throw new LinkError(
        `${there.packageName} must have version ${TFJS_NODE_VERSION}, got ${there.version}. Run \`npm install --ignore-scripts ${there.packageName}@${TFJS_NODE_VERSION}\` and link again.`,
      );
    }
    return { name: there.packageName, folder: there.folder, installed: there.link?.installed ?? false };
  }
  const wanted = `${cpuPackage}@${TFJS_NODE_VERSION}`;
  const { found, status, stderr } = run('npm', ['install', ...quietly, wanted], { cwd: project });
  const installed = status === 0 ? findAddon([project]) : null;
  if (!installed) {
    const cause = found ? `npm could not install ${wanted}:\n${tail(stderr)}\n` : 'there is no npm. ';
    throw new LinkError(`${cause}Check that npm reaches its registry: \`npm view ${wanted} version\`.`);
  }
  return { name: installed.packageName, folder: installed.folder, installed: true };
}

/** Where an addon that was there before is kept. */
const keptPath = (folder: string): string => `${addonPath(folder)}.before-link`;

/** Keeps the addon that a package came with, once. */
export function keepAddon(folder: string): void {
  const path = addonPath(folder);
  if (existsSync(path) && !existsSync(recordPath(folder)) && !existsSync(keptPath(folder))) {
    renameSync(path, keptPath(folder));
  }
}

/** Writes down what was linked. */
export function writeRecord(folder: string, record: LinkRecord): void {
  writeFileSync(recordPath(folder), `${JSON.stringify(record, null, 2)}\n`);
}

/** Takes away the addon that was built, and gives back the one that was there before. */
export function restoreAddon(folder: string): void {
  rmSync(addonPath(folder), { force: true });
  rmSync(recordPath(folder), { force: true });
  if (existsSync(keptPath(folder))) renameSync(keptPath(folder), addonPath(folder));
}

/**
 * Puts a project back as it was before linking.
 *
 * @returns what was done, for people to read.
 * @throws LinkError where npm cannot remove what linking installed.
 */
export function undoLink(run: Run, project: string): string {
  const there = findAddon([project]);
  if (!there?.link) return 'Nothing is linked here.';
  restoreAddon(there.folder);
  if (!there.link.installed) return `${there.packageName} has the addon that it had before.`;
  const { status, stderr } = run('npm', ['uninstall', ...quietly, there.packageName], { cwd: project });
  if (status !== 0) {
    throw new LinkError(
      `npm could not remove ${there.packageName}:\n${tail(stderr)}\nRun \`npm ci\`, which removes everything that the lock file does not name.`,
    );
  }
  return `${there.packageName} and what it brought are removed.`;
}
