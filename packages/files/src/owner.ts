import { neededNodeModule } from './node-module.ts';

const need = 'files: locks and temporary files need Node, which is missing. Run this in Node.';
const { createHash } = neededNodeModule('node:crypto', need);
const { readFileSync, readlinkSync } = neededNodeModule('node:fs', need);
const { hostname, networkInterfaces } = neededNodeModule('node:os', need);
const { threadId } = neededNodeModule('node:worker_threads', need);

/** Who made a file: a thread of a process, told so that others on any host can find out whether it is still there. */
export interface Owner {
  readonly host: string;
  /** Where process numbers mean the same: one start of one system and, on Linux, one namespace of processes. */
  readonly realm: string;
  readonly pid: number;
  readonly thread: number;
  /** When the process began, in ticks since the start of the system; `'0'` if the system does not say. */
  readonly start: string;
}

const linux = (): boolean => process.platform === 'linux';

let self: Owner | undefined;

/** This thread. */
export function thisOwner(): Owner {
  const { pid } = process;
  self ??= { host: hostname(), realm: realm(), pid, thread: threadId, start: stateOf(pid)?.start ?? '0' };
  return self;
}

/** Whether an owner has ended; undefined if that cannot be determined here, so that only its signs of life count. */
export function hasEnded(owner: Omit<Owner, 'host'>): boolean | undefined {
  const { realm, pid, thread, start } = thisOwner();
  if (owner.realm !== realm) return undefined;
  if (owner.pid === pid && owner.start === start) return owner.thread === thread ? false : undefined;
  if (!isRunning(owner.pid)) return true;
  const state = stateOf(owner.pid);
  return state === null || owner.start === '0' ? undefined : state.ended || state.start !== owner.start;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // EPERM: it runs as another user
  }
}

/** What Linux says about a process; null if it says nothing, as on other systems or about processes of other users. */
function stateOf(pid: number): { start: string; ended: boolean } | null {
  if (!linux()) return null;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // after the name in brackets, which may hold anything: the state first, the start as the 20th
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { start: fields[19] as string, ended: fields[0] === 'Z' || fields[0] === 'X' };
  } catch {
    return null;
  }
}

function realm(): string {
  const parts = [hostname(), process.platform, ...(linux() ? linuxRealm() : addresses())];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12);
}

function linuxRealm(): string[] {
  try {
    // /proc may be that of another namespace than this process is in: then its numbers mean nothing here
    if (readlinkSync('/proc/self') === String(process.pid)) {
      return [readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'), readlinkSync('/proc/self/ns/pid')];
    }
  } catch {}
  return [`unknown ${process.pid} ${performance.timeOrigin} ${Math.random()}`];
}

/** What tells hosts of one name apart. */
function addresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? []);
  return [...new Set(all.map(({ mac }) => mac))].sort();
}
