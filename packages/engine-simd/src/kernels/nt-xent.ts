import { floatBits, type Runtime } from '../runtime.ts';
import {
  NT_XENT,
  NT_XENT_GRADIENT,
  PACK_WEIGHTS,
  PACK_WEIGHTS_TRANSPOSED,
  PAIR_LOGITS,
  UNIT_ROWS,
} from '../task-ids.ts';
import { areFloat, ceilDiv, defineOpKernel, type SimdKernel } from './kernel.ts';

/** Rows of a task, as `assembly/nt-xent.ts` has it; a half of the batch is split by itself. */
const BLOCK = 24;

/** Addresses of the normalised rows in the forms that the kernels need. */
interface UnitRows {
  readonly unit: number;
  /** In float64. */
  readonly divisors: number;
  /** As columns, in panels. */
  readonly packed: number;
}

function withUnitRows(runtime: Runtime, z: number, rows: number, columns: number, use: (u: UnitRows) => void): void {
  const { columns: tile } = runtime.variant;
  const panels = ceilDiv(rows, tile);
  runtime.withTemporary(rows * columns * 4, (unit) => {
    runtime.withTemporary(rows * 8, (divisors) => {
      runtime.runOnce(ceilDiv(rows, 64), UNIT_ROWS, z, unit, divisors, rows, columns, 64);
      runtime.withTemporary((panels * tile * columns + 1) * 4, (packed) => {
        const onlyTap = packed + panels * tile * columns * 4;
        runtime.words[onlyTap / 4] = 0;
        runtime.runOnce(panels, PACK_WEIGHTS_TRANSPOSED, unit, packed, rows, columns, 1, onlyTap);
        use({ unit, divisors, packed });
      });
    });
  });
}

/** Addresses of what is known of every row. */
interface RowResults {
  readonly ranks: number;
  readonly logSums: number;
  readonly losses: number;
  /** What rounding has taken away from the log-sums. */
  readonly remainders: number;
}

function compareRows(
  runtime: Runtime,
  { unit, packed }: UnitRows,
  shape: readonly [number, number],
  temperature: number,
  { ranks, logSums, losses, remainders }: RowResults,
): void {
  const tasks = 2 * ceilDiv(shape[0] / 2, BLOCK);
  const words = [unit, packed, ...shape, floatBits(1 / temperature), ranks, logSums, losses, remainders];
  runtime.runOnce(tasks, NT_XENT, ...words);
}

const ntXent = defineOpKernel('NTXent', ({ inputs: { projections }, attributes: { temperature }, backend }) => {
  if (!areFloat(projections)) return null;
  const { runtime } = backend;
  const [rows, columns] = projections.shape as [number, number];
  const [loss, ranks, logSums] = [backend.output([]), backend.output([rows]), backend.output([rows])];
  withUnitRows(runtime, backend.address(projections), rows, columns, (units) => {
    runtime.withTemporary(rows * 8, (losses) => {
      const results = { ranks: ranks.address, logSums: logSums.address, losses, remainders: losses + rows * 4 };
      compareRows(runtime, units, [rows, columns], temperature, results);
      const sum = runtime.floats(losses, rows).reduce((total, value) => total + value, 0);
      runtime.floats(loss.address, 1)[0] = sum / rows;
    });
  });
  return [loss.info, ranks.info, logSums.info];
});

/** The log-sums are formed again, with their remainders: float32 alone is too coarse where the temperature is low. */
const ntXentGradient = defineOpKernel(
  'NTXentGrad',
  ({ inputs: { dy, projections }, attributes: { temperature }, backend }) => {
    if (!areFloat(dy, projections)) return null;
    const { runtime } = backend;
    const { rows: tileRows, columns: tile } = runtime.variant;
    const [rows, columns] = projections.shape as [number, number];
    const { info, address } = backend.output([rows, columns]);
    const scale = (backend.values(dy) as Float32Array)[0]! / (rows * temperature);
    const panels = ceilDiv(columns, tile);
    const workBytes = 64 * ceilDiv(tileRows * panels * tile * 4, 64);
    const block = Math.max(64, ceilDiv(rows, 8));
    withUnitRows(runtime, backend.address(projections), rows, columns, (units) => {
      runtime.withTemporary((panels * tile * rows + 4 * rows) * 4, (packedRows) => {
        runtime.runOnce(panels * ceilDiv(rows, block), PACK_WEIGHTS, units.unit, packedRows, rows, columns, block);
        const perRow = packedRows + panels * tile * rows * 4;
        const [logSums, remainders, ranks, losses] = [0, 1, 2, 3].map((i) => perRow + i * rows * 4) as [
          ...[number, number, number, number],
        ];
        compareRows(runtime, units, [rows, columns], temperature, { logSums, remainders, ranks, losses });
        runtime.withTemporary(runtime.threads * workBytes, (work) => {
          runtime.runOnce(
            2 * ceilDiv(rows / 2, BLOCK),
            ...[NT_XENT_GRADIENT, units.unit, units.divisors, units.packed, packedRows, rows, columns],
            ...[floatBits(1 / temperature), logSums, remainders, floatBits(scale), address, work, workBytes],
          );
        });
      });
    });
    return info;
  },
);

const pairLogits = defineOpKernel(
  'PairLogits',
  ({ inputs: { projections }, attributes: { temperature, masked }, backend }) => {
    if (!areFloat(projections)) return null;
    const { runtime } = backend;
    const [rows, columns] = projections.shape as [number, number];
    const { info, address } = backend.output([rows, rows]);
    withUnitRows(runtime, backend.address(projections), rows, columns, ({ unit, packed }) => {
      const words = [unit, packed, rows, columns, floatBits(1 / temperature), floatBits(masked), address];
      runtime.runOnce(2 * ceilDiv(rows / 2, BLOCK), PAIR_LOGITS, ...words);
    });
    return info;
  },
);

/** The contrastive loss of a batch of pairs, its gradient, and the logits of pairs. */
export const ntXentKernels: readonly SimdKernel[] = [ntXent, ntXentGradient, pairLogits];
