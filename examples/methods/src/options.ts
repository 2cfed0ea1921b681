import { parseArgs } from 'node:util';
import { methods } from './registry.ts';

/** What a call asks for. */
export interface Options {
  readonly names: readonly string[];
  /** A zip or folder of images; null for generated ones. */
  readonly data: string | null;
  readonly classes: number;
  readonly imagesPerClass: number;
  readonly size: number;
  readonly batchSize: number;
  readonly epochs: number;
  /** Seeds 0 to this number less one. */
  readonly seeds: number;
  /** Trains this seed alone, in this process, and prints its result as JSON. */
  readonly only: number | null;
  /** Runs at a time. */
  readonly jobs: number;
  /** Of the engine of each run; null for the engine's choice. */
  readonly threads: number | null;
  /** File for all results. */
  readonly out: string | null;
}

/** A mistake of the caller, to be told without a stack. */
export class UsageError extends Error {}

export const usage = `npm run methods -- NAME ... [options]    trains and evaluates methods, and prints a table
npm run methods -- --all [options]        all of them

  NAME                  ${Object.keys(methods).join(', ')}
  --data PATH           Tiny ImageNet or a folder of images (default: TINY_IMAGENET or data/ if there, else generated images)
  --generated           generated images, whatever else is there
  --classes N           default 10
  --images-per-class N  to train on; default 500
  --size N              side of generated images and of a folder's, pixels; default 64
  --batch-size N        images of a step; default 32
  --epochs N            default 16
  --seeds N             runs of each method; default 3
  --jobs N              runs at a time, which share the processor's cores; default 1
  --out FILE            also writes all results there as JSON, after each run; runs that it has already are not repeated
  --help`;

const counts = ['classes', 'images-per-class', 'size', 'batch-size', 'epochs', 'seeds', 'jobs'] as const;
const defaults = { classes: 10, 'images-per-class': 500, size: 64, 'batch-size': 32, epochs: 16, seeds: 3, jobs: 1 };

/**
 * Reads the arguments of a call.
 *
 * @param find - finds images where none are named.
 * @returns null where help is asked for.
 * @throws UsageError that says what is wrong.
 */
export async function readOptions(args: string[], find: () => Promise<string | null>): Promise<Options | null> {
  const { values, positionals } = parse(args);
  if (values.help) return null;
  const names = values.all ? Object.keys(methods) : positionals;
  if (names.length === 0) throw new UsageError('Name a method, or pass --all.');
  const unknown = names.filter((name) => !Object.hasOwn(methods, name));
  if (unknown.length > 0) {
    throw new UsageError(`There is no method ${unknown.join(', ')}. There are ${Object.keys(methods).join(', ')}.`);
  }
  if (values.data !== undefined && values.generated) throw new UsageError('Pass --data or --generated, not both.');
  const [classes, imagesPerClass, size, batchSize, epochs, seeds, jobs] = counts.map((flag) => {
    const value = values[flag] === undefined ? defaults[flag] : Number(values[flag]);
    if (Number.isInteger(value) && value >= 1) return value;
    throw new UsageError(`--${flag} must be an integer of at least 1, got ${values[flag]}.`);
  }) as [number, number, number, number, number, number, number];
  const data = values.generated ? null : (values.data ?? (await find()));
  const integer = (flag: 'only' | 'threads', min: number): number | null => {
    if (values[flag] === undefined) return null;
    const value = Number(values[flag]);
    if (Number.isInteger(value) && value >= min) return value;
    throw new UsageError(`--${flag} must be an integer of at least ${min}, got ${values[flag]}.`);
  };
  const [only, threads] = [integer('only', 0), integer('threads', 1)];
  const numbers = { classes, imagesPerClass, size, batchSize, epochs, seeds, jobs, only, threads };
  return { names, data, ...numbers, out: values.out ?? null };
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const flags = { all: flag, help: flag, generated: flag, data: text, out: text, only: text, threads: text };
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...flags,
        classes: text,
        'images-per-class': text,
        size: text,
        'batch-size': text,
        epochs: text,
        seeds: text,
        jobs: text,
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
