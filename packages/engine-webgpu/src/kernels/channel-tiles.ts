import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from './kernel.ts';

/** Invocations of a workgroup that goes through a tile of channels. */
const TILE_THREADS = 256;

/**
 * How a tensor [..., C] is divided for sums over all axes but the last: a workgroup takes a tile of 16 channels and a block of rows, its
 * threads stand in `lanes` rows of `columns`. A matter of the shape alone, so that results do not depend on the device.
 */
export interface ChannelTiles {
  readonly rows: number;
  /** Numbers in a value of the kernels: 4 (`vec4f`) where channels can be taken four at a time, else 1 (`f32`). */
  readonly width: 1 | 4;
  /** Values in a row. */
  readonly columns: number;
  /** Workgroups side by side. */
  readonly tiles: number;
  /** Divides the rows among about so many workgroups in all. */
  blocks(workgroups: number): { readonly rowsPerBlock: number; readonly blocks: number };
}

/** Divides a tensor [..., C]. */
export function channelTiles(x: tf.TensorInfo): ChannelTiles {
  const channels = x.shape.at(-1) ?? 1;
  const rows = sizeOf(x) / channels;
  const width = channels % 4 === 0 ? 4 : 1;
  const columns = channels / width;
  const perTile = 16 / width;
  const lanes = TILE_THREADS / perTile;
  const tiles = Math.ceil(columns / perTile);
  return {
    ...{ rows, width, columns, tiles },
    blocks(workgroups) {
      const wanted = Math.min(Math.ceil(workgroups / tiles), Math.ceil(rows / lanes));
      const rowsPerBlock = Math.ceil(rows / wanted / lanes) * lanes;
      return { rowsPerBlock, blocks: Math.ceil(rows / rowsPerBlock) };
    },
  };
}

/** Type of the values. */
export const valueType = (width: 1 | 4): 'f32' | 'vec4f' => (width === 4 ? 'vec4f' : 'f32');

/** WGSL that all kernels over tiles begin with: the constants, and where a thread stands. */
export const tileHeader = (width: 1 | 4): string => `
  alias Value = ${valueType(width)};
  const THREADS = ${TILE_THREADS}u;
  const COLUMNS = ${16 / width}u;
  const LANES = THREADS / COLUMNS;`;

/** WGSL: the signature of `main`, and the place of a thread: `column`, `lane`, the rows of its block, and whether it has a column at all. */
export const tileMain = `
  @compute @workgroup_size(THREADS)
  fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let column = group.x * COLUMNS + thread % COLUMNS;
    let lane = thread / COLUMNS;
    let inside = column < uniforms.columns;
    let begin = group.y * uniforms.rowsPerBlock + lane;
    let end = select(0, min((group.y + 1) * uniforms.rowsPerBlock, uniforms.rows), inside);`;
