import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { summarize } from './statistics.ts';

/** Processor time of the whole machine since it started, over all cores, in seconds. */
export interface CoreTimes {
  /** Not idle, time taken by other virtual machines (steal) counted. */
  readonly busy: number;
  readonly idle: number;
}

/** Cores that others may keep busy before a measurement is called disturbed. */
const tolerableCores = 0.15;
/** Relative spread of the rounds of one contestant from which a measurement is called disturbed. */
const tolerableSpread = 0.35;

/** Whether a measurement can be trusted, and what speaks against it. */
export interface Quietness {
  readonly quiet: boolean;
  /** One sentence for each thing that speaks against it; empty where the machine was quiet. */
  readonly disturbances: readonly string[];
  /** Cores that other processes kept busy, the worst look of all; null where the machine does not say. */
  readonly foreignCores: number | null;
  /** The machine's load average over the last minute before the start; it lags, so it decides only where nothing else can. */
  readonly loadAverage: number;
}

/** Parses the first line of Linux's /proc/stat, whose unit is 1/100 s. */
export function parseProcStat(text: string): CoreTimes {
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, interrupt = 0, soft = 0, steal = 0] = text
    .slice(0, text.indexOf('\n'))
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { busy: (user + nice + system + interrupt + soft + steal) / 100, idle: (idle + wait) / 100 };
}

/** Reads what the machine's cores have done so far. */
export function readCoreTimes(): CoreTimes {
  try {
    return parseProcStat(readFileSync('/proc/stat', 'utf8')); // os.cpus() leaves out what other virtual machines steal
  } catch {
    let busy = 0;
    let idle = 0;
    for (const { times } of cpus()) {
      busy += (times.user + times.nice + times.sys + times.irq) / 1000;
      idle += times.idle / 1000;
    }
    return { busy, idle };
  }
}

/** Processor time of this process and its threads, in seconds. */
function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Looks at the machine before and during a measurement. */
export interface QuietWatch {
  /** Looks for a while at the machine that should be idle: before the start and between rounds. */
  look(milliseconds?: number): Promise<void>;
  /** Looks at what others did since the last look, while the measurement ran. */
  lap(): void;
  /** @param rounds - seconds of every round of each contestant. */
  verdict(rounds: ReadonlyMap<string, readonly number[]>): Quietness;
}

/**
 * Starts to watch whether the machine is quiet. A busy one makes a comparison worthless, and not evenly so: the threads of
 * an OpenMP program spin at barriers, and with one foreign process on one of two cores PyTorch fell to a tenth, a pool that
 * shares its work out dynamically to a half.
 *
 * @param childSeconds - processor time so far of the measurement's other processes, in seconds.
 * @param source - where the other times come from; for tests.
 */
export function watchQuiet(
  childSeconds: () => number = () => 0,
  source: { cores(): CoreTimes; own(): number; count: number } = {
    cores: readCoreTimes,
    own: ownSeconds,
    count: cpus().length,
  },
): QuietWatch {
  const loadAverage = loadavg()[0] ?? 0;
  const foreign: number[] = [];
  const read = () => ({ ...source.cores(), used: source.own() + childSeconds() });
  let last = read();

  function lap(): void {
    const now = read();
    const busy = now.busy - last.busy;
    const seconds = (busy + now.idle - last.idle) / source.count;
    // /proc/stat counts in hundredths: a shorter look says nothing. In some sandboxes the counters stand still.
    if (seconds >= 0.05) foreign.push(Math.max(0, (busy - (now.used - last.used)) / seconds));
    last = now;
  }

  return {
    lap,
    async look(milliseconds = 300) {
      last = read();
      await sleep(milliseconds);
      lap();
    },
    verdict(rounds) {
      const foreignCores = foreign.length > 0 ? Math.max(...foreign) : null;
      return { ...judge({ foreignCores, loadAverage, rounds }), foreignCores, loadAverage };
    },
  };
}

/** The row of a table that tells whether its figures can be trusted. */
export function quietRow({ quiet, disturbances }: Quietness): readonly [label: string, value: string] {
  return ['quiet', quiet ? 'yes' : `NO, do not use these figures: ${disturbances.join('; ')}`];
}

/** The judgement alone: what speaks against a measurement. */
export function judge(seen: {
  readonly foreignCores: number | null;
  readonly loadAverage: number;
  readonly rounds: ReadonlyMap<string, readonly number[]>;
}): { quiet: boolean; disturbances: string[] } {
  const disturbances: string[] = [];
  if (seen.foreignCores === null) {
    if (seen.loadAverage > tolerableCores) {
      disturbances.push(`the load average was ${seen.loadAverage.toFixed(2)}, and the machine does not say more`);
    }
  } else if (seen.foreignCores > tolerableCores) {
    disturbances.push(`other processes kept up to ${seen.foreignCores.toFixed(2)} cores busy`);
  }
  for (const [name, seconds] of seen.rounds) {
    const { spread } = summarize(seconds);
    if (spread > tolerableSpread) {
      disturbances.push(`the rounds of ${name} differ by ${Math.round(100 * spread)} % of their median`);
    }
  }
  return { quiet: disturbances.length === 0, disturbances };
}
