// Builds what is out of date, one process at a time: the ranks of a job start together, and the first one builds for all.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../node_modules/.tfjs-ssl/', import.meta.url));
const [lock, stamp] = [`${folder}build.lock`, `${folder}built`];
/** Milliseconds after which a lock of another host counts for nothing. */
const patience = 10 * 60_000;

const reading = (read) => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

/** Whether the process that wrote a lock has ended. */
function isAbandoned(file) {
  const [host, pid] = reading(() => readFileSync(file, 'utf8'))?.split(' ') ?? [];
  const age = Date.now() - (reading(() => statSync(file).mtimeMs) ?? Date.now());
  if (host !== hostname() || !pid) return age > patience;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Removes an abandoned lock. Of several processes that try, one moves it away; if what it holds is a new one, that is put back. */
function removeAbandoned() {
  const moved = `${lock}.${process.pid}`;
  reading(() => renameSync(lock, moved));
  if (!isAbandoned(moved)) reading(() => linkSync(moved, lock));
  rmSync(moved, { force: true });
}

function take() {
  try {
    writeFileSync(lock, `${hostname()} ${process.pid}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

mkdirSync(folder, { recursive: true });
for (let waited = 0; !take(); waited++) {
  if (isAbandoned(lock)) removeAbandoned();
  if (waited === 20) {
    const [host, pid] = reading(() => readFileSync(lock, 'utf8'))?.split(' ') ?? [];
    if (pid) console.error(`Waiting for process ${pid} on ${host}, which builds the packages.`);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
}
try {
  // a build that began after this process did has left nothing to do
  const [host, time] = reading(() => readFileSync(stamp, 'utf8'))?.split(' ') ?? [];
  if (host !== hostname() || !(Number(time) > performance.timeOrigin)) {
    const began = Date.now();
    await import('./build.mjs');
    if (!process.exitCode) writeFileSync(stamp, `${hostname()} ${began}`);
  }
} finally {
  rmSync(lock, { force: true });
}
