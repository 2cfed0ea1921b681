import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { processors, writeFilesAtomically } from '@tfjs-ssl/files';
import type { Measured } from './measure.ts';
import { type Options, UsageError } from './options.ts';
import { cellsOf, columns, markdown } from './table.ts';

/** What decides the numbers of a run beside its method and seed. */
type Setting = Pick<Options, 'classes' | 'imagesPerClass' | 'size' | 'batchSize' | 'epochs'> & {
  /** `generated`, or the name of the zip or folder. */
  readonly images: string;
};

/** The file of results. */
interface Results {
  readonly setting: Setting;
  readonly runtime: string;
  readonly columns: readonly string[];
  readonly rows: ReadonlyArray<readonly string[]>;
  readonly runs: readonly Measured[];
}

/**
 * Trains every method with every seed, each in a process of its own, and prints the table.
 *
 * @param main - the program that trains one method with `--only SEED`, and prints its result as the last line.
 */
export async function compare(options: Options, main: string): Promise<void> {
  const { names, seeds, jobs, out } = options;
  const runs = out === null ? [] : runsIn(out, options);
  const todo = Array.from({ length: seeds }, (_, seed) => names.map((name) => ({ name, seed }))).flat();
  const has = ({ name, seed }: (typeof todo)[number]) => runs.some((run) => run.method === name && run.seed === seed);
  const left = todo.filter((run) => !has(run));
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) {
      runs.push(await runAlone(main, options, next.name, next.seed));
      if (out !== null)
        await writeFilesAtomically([{ path: out, data: `${JSON.stringify(resultsOf(runs, options), null, 2)}\n` }]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, left.length) }, work));
  const { setting, rows } = resultsOf(
    runs.filter(({ method }) => names.includes(method)),
    options,
  );
  const { classes, imagesPerClass, epochs, batchSize } = setting;
  const [{ data, engine, device }] = runs as [Measured];
  process.stdout.write(
    `${data}: ${classes} classes of ${imagesPerClass} images, ${epochs} epochs, batches of ${batchSize} images; engine ${engine}, ${device}\n\n${markdown(columns, rows)}`,
  );
}

function resultsOf(runs: readonly Measured[], options: Options): Results {
  const { classes, imagesPerClass, size, batchSize, epochs } = options;
  const images = options.data === null ? 'generated' : basename(resolve(options.data));
  const order = (run: Measured): number => 1000 * options.names.indexOf(run.method) + run.seed;
  const sorted = [...runs].sort((a, b) => order(a) - order(b));
  const runtime = `Node.js ${process.versions.node}, ${process.platform} ${process.arch}`;
  return {
    setting: { images, classes, imagesPerClass, size, batchSize, epochs },
    runtime,
    columns,
    rows: cellsOf(sorted),
    runs: sorted,
  };
}

/** The runs that a file of results holds; none if it is not there. */
function runsIn(file: string, options: Options): Measured[] {
  if (!existsSync(file)) return [];
  const { setting, runs }: Results = JSON.parse(readFileSync(file, 'utf8'));
  const own = resultsOf([], options).setting;
  if (JSON.stringify(setting) === JSON.stringify(own)) return [...runs];
  throw new UsageError(
    `--out must name a new file or one with the same setting, ${JSON.stringify(own)}, got ${file} with ${JSON.stringify(setting)}.`,
  );
}

async function runAlone(main: string, options: Options, name: string, seed: number): Promise<Measured> {
  const { data, classes, imagesPerClass, size, batchSize, epochs, jobs } = options;
  const counts = { classes, 'images-per-class': imagesPerClass, size, 'batch-size': batchSize, epochs, only: seed };
  const args = Object.entries(counts).flatMap(([flag, value]) => [`--${flag}`, `${value}`]);
  args.push(...(data === null ? ['--generated'] : ['--data', data]));
  if (jobs > 1) args.push('--threads', `${Math.max(1, Math.floor(processors() / jobs))}`);
  const child = spawn(process.execPath, [...process.execArgv, main, name, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`${name} with seed ${seed} ended with status ${code}.`);
  return JSON.parse(output.trim().split('\n').at(-1) as string);
}
