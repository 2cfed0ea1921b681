import { readFileSync } from 'node:fs';

/** Ids of the processes above this one, the nearest first; none where Linux's `/proc` is missing. */
export function ancestors(): number[] {
  const found: number[] = [];
  try {
    for (let pid = process.ppid; pid > 1; ) {
      found.push(pid);
      pid = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
    }
  } catch {} // no /proc, or a process that has ended
  return found;
}
