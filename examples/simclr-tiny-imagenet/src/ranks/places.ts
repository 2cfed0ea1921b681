import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { processors } from '@tfjs-ssl/files';
import { gatherValues, type World } from '@tfjs-ssl/ops';

/** Where the ranks of a job run. */
export interface Places {
  /** Ranks on each host, by its name. */
  readonly hosts: ReadonlyMap<string, number>;
  /** Threads for this rank: the processors that it may use, divided by the ranks that may use the same ones. */
  readonly threads: number;
  /** When this rank does what the ranks of a host share: 0 for the first of all, 1 for the first of another host, 2 for the others. */
  readonly turn: 0 | 1 | 2;
}

/** What a rank says of itself. */
interface Seat {
  readonly host: string;
  /** Numbers of the processors that the launcher lets it use, as Linux writes them. */
  readonly allowed: string;
}

/** Asks all ranks where they run. */
export function placesOf(world: World): Places {
  const own: Seat = { host: hostname(), allowed: allowedProcessors() };
  // Slurm does not tie a task to its processors on every cluster
  const asked = Number(process.env.SLURM_CPUS_PER_TASK) || Number.POSITIVE_INFINITY;
  return divide(gatherValues(world, own) as Seat[], world.rank, processors(), asked);
}

/**
 * @param there - processors that this rank may use.
 * @param most - threads that this rank may have.
 */
export function divide(seats: readonly Seat[], rank: number, there: number, most = Number.POSITIVE_INFINITY): Places {
  const own = seats[rank] as Seat;
  const hosts = new Map<string, number>();
  for (const { host } of seats) hosts.set(host, (hosts.get(host) ?? 0) + 1);
  const sharing = seats.filter(({ host, allowed }) => host === own.host && allowed === own.allowed).length;
  const isFirstOfHost = seats.findIndex(({ host }) => host === own.host) === rank;
  return {
    hosts,
    threads: Math.max(1, Math.min(most, Math.floor(there / sharing))),
    turn: rank === 0 ? 0 : isFirstOfHost ? 1 : 2,
  };
}

function allowedProcessors(): string {
  try {
    return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  } catch {
    return ''; // not Linux: all ranks may use all
  }
}

/** The ranks in a line: how many, where, and with how many threads each. */
export function placesText(hosts: Places['hosts'], threads: readonly number[]): string {
  const names = [...hosts].map(([host, ranks]) => `${host}: ${ranks}`);
  const [fewest, most] = [Math.min(...threads), Math.max(...threads)];
  const where = hosts.size === 1 ? `on ${[...hosts.keys()][0]}` : `on ${hosts.size} hosts (${names.join(', ')})`;
  const each = fewest === most ? `${most} ${most === 1 ? 'thread' : 'threads'}` : `${fewest} to ${most} threads`;
  return `${threads.length} ${where}, ${each} each`;
}
