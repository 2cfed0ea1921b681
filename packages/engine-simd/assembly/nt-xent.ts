// NT-Xent over the rows of a batch of pairs, and its gradient. A task takes a block of rows and walks over all columns, a chunk at a time:
// logits live in the memory of the thread only. Row i and row (i + N) mod 2N are a pair; no block of rows straddles N.
import { COLUMNS, microRows, ROWS } from './generated/micro';
import { SCRATCH, SCRATCH_SIZE } from './layout';
import { exp, sumLanes } from './math';
import { floats, real, setPointer } from './words';

/** Columns whose logits are held at once. Sums are formed chunk by chunk, so this decides how they round; a multiple of every COLUMNS. */
const CHUNK: i32 = 256;
/** Rows of a task at most. */
const BLOCK: i32 = 24;

// Scratch memory of a task: tables of addresses, the logits of ROWS rows, and what is known of the block's rows.
const UNIT_ROWS: usize = 0;
const LOGIT_ROWS: usize = 0x100;
const RESULT_ROWS: usize = 0x200;
const POSITIVES: usize = 0x400;
const MAXIMA: usize = 0x500;
const RANKS: usize = 0x600;
const SUMS: usize = 0x700;
const LOGITS: usize = 0x1000;

@unmanaged
class UnitRowsJob {
  task: i32;
  projections: usize;
  unit: usize;
  /** max(|z|, 1e-12) of every row in float64, negative where it is 1e-12 by that rule and so a constant. */
  divisors: usize;
  rows: i32;
  columns: i32;
  block: i32;
}

/** unit = z / max(|z|, 1e-12) for a block of rows, by norms in float64, which no float32 leaves. */
export function unitRowsTask(address: usize, index: i32): void {
  const job = changetype<UnitRowsJob>(address);
  const last = min(job.rows, (index + 1) * job.block);
  for (let row = index * job.block; row < last; row++) {
    const from = job.projections + floats(row * job.columns);
    const to = job.unit + floats(row * job.columns);
    let squares: f64 = 0;
    for (let c = 0; c < job.columns; c++) {
      const z = <f64>real(from, c);
      squares += z * z;
    }
    const norm = sqrt<f64>(squares);
    const divisor = max<f64>(norm, 1e-12);
    for (let c = 0; c < job.columns; c++) store<f32>(to + floats(c), <f32>(<f64>real(from, c) / divisor));
    store<f64>(job.divisors + (<usize>row << 3), norm > 1e-12 || norm !== norm ? divisor : -divisor);
  }
}

@unmanaged
class NTXentJob {
  task: i32;
  unit: usize;
  /** The unit rows as columns, in panels [panel][columns][COLUMNS]. */
  packed: usize;
  rows: i32;
  columns: i32;
  inverseTemperature: f32;
  ranks: usize;
  logSums: usize;
  /** Cross-entropy of every row. */
  losses: usize;
  /** What the rounding of the log-sums has taken away, for every row. */
  remainders: usize;
}

/** Ranks, log-sums and cross-entropies of a block of rows. */
export function ntXentTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<NTXentJob>(address);
  const half = job.rows / 2;
  const first = firstRow(index, half);
  const count = rowsOf(index, half);
  for (let r = 0; r < count; r += ROWS) {
    const rows = min(ROWS, count - r);
    listUnitRows(job.unit, job.columns, first + r, rows, scratch);
    takePositives(job, first + r, rows, scratch, r);
  }
  for (let r = 0; r < count; r++) {
    store<f32>(scratch + MAXIMA + floats(r), -Infinity);
    store<i32>(scratch + RANKS + floats(r), 0);
    store<f64>(scratch + SUMS + (<usize>r << 3), 0);
  }
  for (let chunk = 0; chunk < job.rows; chunk += CHUNK) {
    const n = min(CHUNK, job.rows - chunk);
    for (let r = 0; r < count; r += ROWS) {
      const rows = min(ROWS, count - r);
      listUnitRows(job.unit, job.columns, first + r, rows, scratch);
      similarities(job.packed, job.columns, chunk, n, scratch);
      for (let i = 0; i < rows; i++) {
        addChunk(scratch + LOGITS + floats(i * CHUNK), chunk, n, first + r + i, job.inverseTemperature, scratch, r + i);
      }
    }
  }
  for (let r = 0; r < count; r++) {
    const row = first + r;
    const maximum = real(scratch + MAXIMA, r);
    const logSum = Math.log(load<f64>(scratch + SUMS + (<usize>r << 3)));
    const isNumber = maximum === maximum;
    store<f32>(job.ranks + floats(row), isNumber ? <f32>load<i32>(scratch + RANKS + floats(r)) : <f32>job.rows);
    const exact = isNumber ? <f64>maximum + logSum : NaN;
    store<f32>(job.logSums + floats(row), <f32>exact);
    store<f32>(job.remainders + floats(row), <f32>(exact - <f64>(<f32>exact)));
    // Small losses keep their digits: the difference of two large logits is taken before the logarithm is added.
    store<f32>(job.losses + floats(row), <f32>(<f64>maximum - <f64>real(scratch + POSITIVES, r) + logSum));
  }
}

/** Blocks of each half; a task is one of them. */
function blocksOf(half: i32): i32 {
  return (half + BLOCK - 1) / BLOCK;
}

function firstRow(index: i32, half: i32): i32 {
  const blocks = blocksOf(half);
  return index < blocks ? index * BLOCK : half + (index - blocks) * BLOCK;
}

function rowsOf(index: i32, half: i32): i32 {
  const blocks = blocksOf(half);
  return min(BLOCK, half - (index % blocks) * BLOCK);
}

/** Tables of the micro-kernel: unit rows, and the rows of logits that receive the products. Rows that are missing repeat the first. */
function listUnitRows(unit: usize, columns: i32, first: i32, rows: i32, scratch: usize): void {
  for (let i = 0; i < ROWS; i++) {
    setPointer(scratch + UNIT_ROWS, i, unit + floats((first + (i < rows ? i : 0)) * columns));
    setPointer(scratch + LOGIT_ROWS, i, scratch + LOGITS + floats(i * CHUNK));
  }
}

/** u_i . u_j of the listed rows with the columns from `chunk`, a multiple of COLUMNS. */
function similarities(packed: usize, columns: i32, chunk: i32, n: i32, scratch: usize): void {
  for (let c = 0; c < n; c += COLUMNS) {
    const panel = packed + floats((chunk + c) * columns);
    microRows(1, columns, 0, 0, scratch + UNIT_ROWS, panel, scratch + LOGIT_ROWS, floats(c), 1);
  }
}

/** The positives' logits, by the same arithmetic as all others: what is equal compares equal. */
function takePositives(job: NTXentJob, first: i32, rows: i32, scratch: usize, r: i32): void {
  const half = job.rows / 2;
  const partner = first < half ? first + half : first - half;
  const start = partner - (partner % COLUMNS);
  similarities(job.packed, job.columns, start, partner + rows - start, scratch);
  for (let i = 0; i < rows; i++) {
    const value = real(scratch + LOGITS + floats(i * CHUNK), partner + i - start) * job.inverseTemperature;
    store<f32>(scratch + POSITIVES + floats(r + i), value);
  }
}

/** Adds the similarities of one row with n columns to what is known of row r of the block. */
function addChunk(logits: usize, chunk: i32, n: i32, row: i32, inverseTemperature: f32, scratch: usize, r: i32): void {
  const factor = f32x4.splat(inverseTemperature);
  const positive = f32x4.splat(real(scratch + POSITIVES, r));
  const end = logits + floats((n + 3) & ~3);
  for (let c = n; c & 3; c++) store<f32>(logits + floats(c), -Infinity);
  if (row >= chunk && row < chunk + n) store<f32>(logits + floats(row - chunk), -Infinity);
  let largest = f32x4.splat(-Infinity);
  let greater = i32x4.splat(0);
  for (let at = logits; at < end; at += 16) {
    const value = f32x4.mul(v128.load(at), factor);
    v128.store(at, value);
    largest = f32x4.max(largest, value);
    greater = i32x4.sub(greater, f32x4.gt(value, positive));
  }
  const known = real(scratch + MAXIMA, r);
  const low = max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1));
  const high = max<f32>(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3));
  const maximum = max<f32>(known, max<f32>(low, high));
  const shift = f32x4.splat(maximum);
  let sum = f32x4.splat(0);
  for (let at = logits; at < end; at += 16) sum = f32x4.add(sum, exp(f32x4.sub(v128.load(at), shift)));
  const earlier = load<f64>(scratch + SUMS + (<usize>r << 3));
  const shrink = <f64>f32x4.extract_lane(exp(f32x4.splat(known - maximum)), 0);
  store<f64>(scratch + SUMS + (<usize>r << 3), earlier * shrink + <f64>sumLanes(sum));
  store<f32>(scratch + MAXIMA + floats(r), maximum);
  const count = i32x4.extract_lane(greater, 0) + i32x4.extract_lane(greater, 1) + i32x4.extract_lane(greater, 2) + i32x4.extract_lane(greater, 3);
  store<i32>(scratch + RANKS + floats(r), load<i32>(scratch + RANKS + floats(r)) + count);
}

@unmanaged
class NTXentGradientJob {
  task: i32;
  unit: usize;
  divisors: usize;
  /** The unit rows as columns, in panels [panel][columns][COLUMNS]. */
  packed: usize;
  /** The unit rows as they are, in panels [panel][rows][COLUMNS]. */
  packedRows: usize;
  rows: i32;
  columns: i32;
  inverseTemperature: f32;
  logSums: usize;
  remainders: usize;
  /** dy / (2N temperature). */
  scale: f32;
  output: usize;
  /** Memory for ROWS results of each thread, workBytes each. */
  work: usize;
  workBytes: i32;
}

/**
 * Gradient for a block of rows: du_i = scale sum_j (P_ij + P_ji - 2 [j = p(i)]) u_j with P = exp(logits - logSums), without its radial
 * part, through the norm. The log-sums come in two parts: large ones, rounded to float32, would cost P three bits.
 */
export function ntXentGradientTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<NTXentGradientJob>(address);
  const half = job.rows / 2;
  const first = firstRow(index, half);
  const count = rowsOf(index, half);
  const work = job.work + ((scratch - SCRATCH) / SCRATCH_SIZE) * <usize>job.workBytes;
  const stride = (job.columns + COLUMNS - 1) / COLUMNS * COLUMNS;
  for (let r = 0; r < count; r += ROWS) {
    const rows = min(ROWS, count - r);
    for (let i = 0; i < ROWS; i++) setPointer(scratch + RESULT_ROWS, i, work + floats(i * stride));
    for (let chunk = 0; chunk < job.rows; chunk += CHUNK) {
      const n = min(CHUNK, job.rows - chunk);
      listUnitRows(job.unit, job.columns, first + r, rows, scratch);
      similarities(job.packed, job.columns, chunk, n, scratch);
      for (let i = 0; i < rows; i++) {
        const row = first + r + i;
        const partner = row < half ? row + half : row - half;
        weigh(scratch + LOGITS + floats(i * CHUNK), chunk, n, row, partner, job);
      }
      for (let c = 0; c < stride; c += COLUMNS) {
        // The rows of logits, now weights, times the unit rows of the chunk.
        listWeights(rows, scratch);
        const panel = job.packedRows + floats(c * job.rows + chunk * COLUMNS);
        microRows(1, n, 0, 0, scratch + UNIT_ROWS, panel, scratch + RESULT_ROWS, floats(c), chunk === 0 ? 1 : 0);
      }
    }
    for (let i = 0; i < rows; i++) finishRow(job, first + r + i, work + floats(i * stride));
  }
}

function listWeights(rows: i32, scratch: usize): void {
  for (let i = 0; i < ROWS; i++) {
    setPointer(scratch + UNIT_ROWS, i, scratch + LOGITS + floats((i < rows ? i : 0) * CHUNK));
  }
}

/** Similarities to weights: P_ij + P_ji - 2 [j = p(i)], 0 on the diagonal. */
function weigh(logits: usize, chunk: i32, n: i32, row: i32, partner: i32, job: NTXentGradientJob): void {
  const factor = f32x4.splat(job.inverseTemperature);
  const own = f32x4.splat(real(job.logSums, row));
  const ownRemainder = f32x4.splat(real(job.remainders, row));
  const end = logits + floats((n + 3) & ~3);
  let sums = job.logSums + floats(chunk);
  let remainders = job.remainders + floats(chunk);
  for (let at = logits; at < end; at += 16, sums += 16, remainders += 16) {
    const value = f32x4.mul(v128.load(at), factor);
    const there = exp(f32x4.sub(f32x4.sub(value, own), ownRemainder));
    const back = exp(f32x4.sub(f32x4.sub(value, v128.load(sums)), v128.load(remainders)));
    v128.store(at, f32x4.add(there, back));
  }
  if (partner >= chunk && partner < chunk + n) {
    const at = logits + floats(partner - chunk);
    store<f32>(at, load<f32>(at) - 2);
  }
  if (row >= chunk && row < chunk + n) store<f32>(logits + floats(row - chunk), 0);
}

/** dz = (du - u (u . du)) / |z|; where the norm is below the smallest, the divisor is a constant and nothing is taken away. */
function finishRow(job: NTXentGradientJob, row: i32, du: usize): void {
  const u = job.unit + floats(row * job.columns);
  const to = job.output + floats(row * job.columns);
  const divisor = load<f64>(job.divisors + (<usize>row << 3));
  let radial: f64 = 0;
  if (divisor > 0) for (let c = 0; c < job.columns; c++) radial += <f64>real(u, c) * <f64>real(du, c);
  const scale = <f64>job.scale / abs<f64>(divisor);
  for (let c = 0; c < job.columns; c++) {
    store<f32>(to + floats(c), <f32>((<f64>real(du, c) - <f64>real(u, c) * radial) * scale));
  }
}

@unmanaged
class PairLogitsJob {
  task: i32;
  unit: usize;
  /** The unit rows as columns, in panels [panel][columns][COLUMNS]. */
  packed: usize;
  rows: i32;
  columns: i32;
  inverseTemperature: f32;
  /** What stands on the diagonal. */
  masked: f32;
  output: usize;
}

/** The logits of a block of rows, by the arithmetic of the loss: ranks of them are the ranks that it counts. */
export function pairLogitsTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<PairLogitsJob>(address);
  const half = job.rows / 2;
  const first = firstRow(index, half);
  const count = rowsOf(index, half);
  for (let chunk = 0; chunk < job.rows; chunk += CHUNK) {
    const n = min(CHUNK, job.rows - chunk);
    for (let r = 0; r < count; r += ROWS) {
      const rows = min(ROWS, count - r);
      listUnitRows(job.unit, job.columns, first + r, rows, scratch);
      similarities(job.packed, job.columns, chunk, n, scratch);
      for (let i = 0; i < rows; i++) {
        const row = first + r + i;
        const to = job.output + floats(row * job.rows + chunk);
        const logits = scratch + LOGITS + floats(i * CHUNK);
        for (let c = 0; c < n; c++) store<f32>(to + floats(c), real(logits, c) * job.inverseTemperature);
        if (row >= chunk && row < chunk + n) store<f32>(to + floats(row - chunk), job.masked);
      }
    }
  }
}
