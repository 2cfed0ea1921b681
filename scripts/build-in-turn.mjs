// Builds what is out of date, one process at a time: the ranks of a job start together, and the first one builds for all.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

/** Whether the process that holds the lock has ended. */
function isAbandoned() {
  const [host, pid] = reading(() => readFileSync(lock, 'utf8'))?.split(' ') ?? [];
  const age = Date.now() - (reading(() => statSync(lock).mtimeMs) ?? Date.now());
  if (host !== hostname() || !pid) return age > patience;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
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
while (!take()) {
  if (isAbandoned()) rmSync(lock, { force: true });
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
