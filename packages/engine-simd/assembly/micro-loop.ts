import { COLUMNS, microColumns, microPacked, microRows, microSums, microTiles, ROWS } from './generated/micro';
import { SCRATCH } from './layout';
import { floats, setPointer } from './words';

/**
 * Runs one micro-kernel on operands that stay in the first cache: for the timing at start.
 *
 * @param kind 0 microPacked, 1 microRows, 2 microColumns, 3 microTiles, 4 microSums
 */
export function microLoop(kind: i32, k: i32, repetitions: i32): void {
  const table = SCRATCH;
  const rowsOfA = SCRATCH + 0x400;
  const rowsOfB = SCRATCH + 0x1000;
  const tile = SCRATCH + 0x2000;
  const a = SCRATCH + 0x4000;
  const b = SCRATCH + 0x10000;
  for (let r = 0; r < ROWS; r++) setPointer(table, r, tile + floats(r * COLUMNS));
  for (let r = 0; r < max(k, ROWS); r++) {
    setPointer(rowsOfA, r, kind === 1 ? a + floats(r * k) : a + floats(r * ROWS));
    setPointer(rowsOfB, r, b + floats(r * COLUMNS));
  }
  for (let i = 0; i < repetitions; i++) {
    if (kind === 0) microPacked(k, a, b, table, 0, 1);
    else if (kind === 1) microRows(1, k, 0, 0, rowsOfA, b, table, 0, 1);
    else if (kind === 2) microColumns(k, rowsOfA, 0, rowsOfB, 0, table, 0, 1);
    else if (kind === 3) microTiles(k, a, floats(k), b, tile, floats(COLUMNS), 1);
    else microSums(k, a, floats(ROWS), b, floats(COLUMNS), tile, floats(COLUMNS), 1);
  }
}
