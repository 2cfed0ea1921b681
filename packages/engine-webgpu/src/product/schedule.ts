import { argumentError } from '@tfjs-ssl/checks';
import type { Arithmetic, Product, Schedule, Tile } from './product.ts';

/** A tile and what it is expected to reach. */
interface RatedTile extends Tile {
  /** Part of the device's peak with work for all of its processors. */
  readonly efficiency: number;
}

/**
 * What decides on tiles and splits, in one place: retune it here. `npm run bench -- gpu-kernels` shows what each shape reaches.
 *
 * The numbers of the device are those of an H100, the efficiencies estimates: WebGPU tells neither. On a GPU with fewer processors they
 * choose smaller tiles than would be best.
 */
const device = {
  processors: 132,
  /** Multiply-adds per processor and second. */
  rate: { float32: 2.2e11, float16: 2.2e11, matrix: 2.3e12 },
  /** Invocations of a processor without which parts of it are idle, and about as many as it has registers for. */
  invocations: { least: 128, full: 256 },
  /** Part of a tile's efficiency that is left where there are hardly others while some wait. */
  alone: 0.7,
  /** Bytes per second. */
  bandwidth: 2.5e12,
  /** Seconds that a dispatch takes which waits for the one before and does next to nothing. */
  launch: 6.4e-6,
} as const;

/**
 * Threads: rows / threadRows * columns / threadColumns, at most 256. With 4 x 4 results a thread reads workgroup memory twice as often for
 * each multiply-add as with 8 x 8.
 */
const fmaTiles: readonly RatedTile[] = [
  { rows: 128, columns: 128, depth: 16, threadRows: 8, threadColumns: 8, efficiency: 0.72 },
  { rows: 128, columns: 64, depth: 16, threadRows: 8, threadColumns: 8, efficiency: 0.7 },
  { rows: 64, columns: 64, depth: 16, threadRows: 8, threadColumns: 8, efficiency: 0.66 },
  { rows: 64, columns: 64, depth: 16, threadRows: 4, threadColumns: 4, efficiency: 0.5 },
  { rows: 32, columns: 32, depth: 16, threadRows: 4, threadColumns: 4, efficiency: 0.4 },
];

/**
 * Here threadRows and threadColumns are those of a subgroup. What limits them on an H100 is the traffic with workgroup memory: the larger a
 * subgroup's part, the less of it.
 */
const matrixTiles: readonly RatedTile[] = [
  { rows: 128, columns: 128, depth: 32, threadRows: 64, threadColumns: 32, efficiency: 0.36 },
  { rows: 128, columns: 64, depth: 32, threadRows: 64, threadColumns: 32, efficiency: 0.3 },
  { rows: 64, columns: 64, depth: 32, threadRows: 32, threadColumns: 32, efficiency: 0.22 },
  { rows: 32, columns: 32, depth: 32, threadRows: 16, threadColumns: 16, efficiency: 0.1 },
];

/** Parts into which a sum may be split. */
const splits = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];
/** Steps of a tile's depth that a part has at least. */
const stepsPerPart = 4;

/** Values of all parts together: 128 MiB, what every device binds. */
const partsSize = 2 ** 25;

/** What a workgroup may use. */
export type WorkgroupLimits = Pick<
  GPUSupportedLimits,
  'maxComputeInvocationsPerWorkgroup' | 'maxComputeWorkgroupStorageSize'
>;

/**
 * Chooses tile and split for a product: those that should take least time by the table above. A matter of the sizes and the device's
 * limits alone, so that results are the same in every run.
 */
export function chooseSchedule(product: Product, arithmetic: Arithmetic, limits: WorkgroupLimits): Schedule {
  return rankSchedules(product, arithmetic, limits)[0] as Schedule;
}

/**
 * Every schedule for a product, the one that should take least time first.
 *
 * @throws RangeError if the device's workgroups are too small for all tiles.
 */
export function rankSchedules(product: Product, arithmetic: Arithmetic, limits: WorkgroupLimits): Schedule[] {
  const { epilogue, depth, result } = product;
  const whole = epilogue?.bias || epilogue?.relu;
  const rated = tilesFor(arithmetic, limits).flatMap((tile) =>
    (whole ? [1] : splits)
      .filter(
        (parts) => parts === 1 || (depth >= parts * stepsPerPart * tile.depth && parts * result.size <= partsSize),
      )
      .map((parts) => ({
        schedule: { tile, parts, arithmetic },
        time: estimate(product, tile, parts, arithmetic),
      })),
  );
  if (rated.length === 0) {
    throw argumentError({
      fn: 'chooseSchedule',
      argument: 'limits',
      required: 'allow a workgroup of at least 64 invocations and 10 KiB of memory',
      got: limits,
      shown: `${limits.maxComputeInvocationsPerWorkgroup} invocations and ${limits.maxComputeWorkgroupStorageSize} bytes`,
      advice: 'This device cannot train: choose another engine.',
    });
  }
  return rated.sort((a, b) => a.time - b.time).map(({ schedule }) => schedule);
}

/** The tiles that a device can run. */
export function tilesFor(arithmetic: Arithmetic, limits: WorkgroupLimits): readonly RatedTile[] {
  const tiles = arithmetic.kind === 'matrix' ? matrixTiles : fmaTiles;
  return tiles.filter((tile) => fits(tile, arithmetic, limits));
}

/** Invocations of a workgroup. */
function threadsOf(tile: Tile, arithmetic: Arithmetic): number {
  const units = (tile.rows / tile.threadRows) * (tile.columns / tile.threadColumns);
  return arithmetic.kind === 'matrix' ? units * arithmetic.subgroup : units;
}

function fits(tile: Tile, arithmetic: Arithmetic, limits: WorkgroupLimits): boolean {
  const threads = threadsOf(tile, arithmetic);
  const tiles = (tile.rows + tile.columns) * tile.depth * (arithmetic.kind === 'float32' ? 4 : 2);
  if (threads > limits.maxComputeInvocationsPerWorkgroup) return false;
  if (arithmetic.kind !== 'matrix') return tiles <= limits.maxComputeWorkgroupStorageSize;
  const divides =
    tile.threadRows % arithmetic.rows === 0 &&
    tile.threadColumns % arithmetic.columns === 0 &&
    tile.depth % arithmetic.depth === 0;
  // lines are padded by eight values; results are cut where they were, a row of a subgroup's matrices at a time
  const lines = (extent: number) => Math.max(extent * (tile.depth + 8), tile.depth * (extent + 8));
  const cut = (threads / arithmetic.subgroup) * arithmetic.rows * (tile.threadColumns + 4) * 4;
  const bytes = Math.max((lines(tile.rows) + lines(tile.columns)) * 2, cut);
  return divides && bytes <= limits.maxComputeWorkgroupStorageSize;
}

/** Seconds that a product should take. */
function estimate(product: Product, tile: RatedTile, parts: number, arithmetic: Arithmetic): number {
  const { rows, columns, groups } = product;
  const workgroups = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns) * groups * parts;
  const perProcessor = Math.ceil(workgroups / device.processors);
  const { invocations, alone } = device;
  const threads = perProcessor * threadsOf(tile, arithmetic);
  const busy =
    Math.min(1, threads / invocations.least) * (alone + (1 - alone) * Math.min(1, threads / invocations.full));
  const efficiency = tile.efficiency * busy;
  const steps = Math.ceil(product.depth / parts / tile.depth);
  const multiplyAdds = perProcessor * tile.rows * tile.columns * steps * tile.depth;
  const summing = parts === 1 ? 0 : device.launch + (product.result.size * 4 * (2 * parts + 1)) / device.bandwidth;
  return multiplyAdds / (device.rate[arithmetic.kind] * efficiency) + summing;
}
