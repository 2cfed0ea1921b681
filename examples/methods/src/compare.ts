import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { Measured } from './measure.ts';
import type { Options } from './options.ts';
import { tableOf } from './table.ts';

/** Trains every method with every seed, each in a process of its own, one after another; prints the table and writes it where asked to. */
export async function compare(options: Options, main: string): Promise<void> {
  const runs: Measured[] = [];
  for (const name of options.names) {
    for (let seed = 0; seed < options.seeds; seed++) runs.push(await runAlone(main, options, name, seed));
  }
  const { data, classes, imagesPerClass, batchSize, epochs, seeds } = options;
  const what = `${data === null ? 'Generated images' : data}: ${classes} classes of ${imagesPerClass}, ${epochs} epochs, batches of ${batchSize} images, ${seeds} seeds (95 % intervals), engine ${runs[0]?.engine}`;
  const text = `${what}\n\n${tableOf(runs)}`;
  process.stdout.write(text);
  if (options.out !== null) await writeFile(options.out, text);
}

async function runAlone(main: string, options: Options, name: string, seed: number): Promise<Measured> {
  const { data, classes, imagesPerClass, size, batchSize, epochs } = options;
  const counts = { classes, 'images-per-class': imagesPerClass, size, 'batch-size': batchSize, epochs, only: seed };
  const args = Object.entries(counts).flatMap(([flag, value]) => [`--${flag}`, `${value}`]);
  args.push(...(data === null ? ['--generated'] : ['--data', data]));
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
