/**
 * How a tile of an operand lies in workgroup memory, in elements of four or eight neighbours of its contiguous axis. Lines run across that
 * axis: rows or columns of the tile where the operand lies along the depth, depths where it does not.
 */
export interface TileLayout {
  /** WGSL: where a line's element lies, to be written behind the tile's name. */
  at(line: string, place: string): string;
  /** WGSL: which row or column of the tile a line is, where the operand lies along the depth. */
  outer(line: string): string;
}

/** What a thread of a product by fused multiply-adds reads of a tile; it owns several rows, or columns. */
export interface ThreadLayout extends TileLayout {
  /** WGSL type of the tile. */
  type(element: string): string;
  /** WGSL: which row or column of the tile is the thread's i-th. */
  owned(i: number): string;
  /**
   * WGSL: the element of the thread's i-th row or column at the four depths of `quad`, where the operand lies along the depth; else of
   * its i-th four rows or columns at depth k of `quad`.
   */
  read(i: number, k?: number): string;
}

/** Lines one after another, as subgroup matrices are loaded; in elements, where they begin, how far apart they are, and where they end. */
export interface LineLayout extends TileLayout {
  readonly from: number;
  readonly line: number;
  readonly end: number;
}

/** Lays out lines one after another from an element on, each with padding against bank conflicts. */
export function lineLayout(lines: number, length: number, padding: number, from: number): LineLayout {
  const line = length + padding;
  const end = from + lines * line;
  return {
    ...{ from, line, end },
    at: (index, place) => `[${from} + (${index}) * ${line} + ${place}]`,
    outer: (index) => index,
  };
}

/** What decides on a {@link ThreadLayout}. */
export interface ThreadLayoutOptions {
  /** Whether the operand lies along the depth. */
  readonly alongDepth: boolean;
  /** Whether the thread's rows or columns are neighbours by four. */
  readonly neighbours: boolean;
  /** Depths of the tile. */
  readonly depth: number;
  /** Rows or columns of a thread. */
  readonly own: number;
  /** Threads along the axis, and the WGSL expression of the thread's place among them. */
  readonly threads: number;
  readonly thread: string;
}

/**
 * A tile as nested arrays in which a thread's place and the four depths at hand are all that varies: whatever else it reads lies at a
 * constant distance, so that an address is computed, and checked, once for many reads. Neighbouring threads read neighbouring elements.
 * Along the depth, lines are permuted by the depth, so that threads that write one line's elements do not meet in a bank.
 */
export function threadLayout({
  alongDepth,
  neighbours,
  depth,
  own,
  threads,
  thread,
}: ThreadLayoutOptions): ThreadLayout {
  const extent = own * threads;
  const nest = (element: string, ...counts: number[]) =>
    counts.reduce((inner, count) => `array<${inner}, ${count}>`, element);
  const byFour = (i: number) => `(${i >> 2 ? `${(i >> 2) * threads} + ` : ''}${thread}) * 4 + ${i & 3}`;
  if (alongDepth) {
    const swizzled = (place: string, quad: string) => `(${place}) ^ (${quad} * 2)`;
    return {
      type: (element) => nest(element, threads, own, depth / 4),
      at: (line, quad) => `[${quad}][(${line}) / ${threads}][${swizzled(`(${line}) % ${threads}`, quad)}]`,
      // the thread's lines are those of its place, counted by fours where its rows are neighbours
      outer: (line) => (neighbours ? `(${line}) % ${extent / 4} * 4 + (${line}) / ${extent / 4}` : line),
      owned: (i) => (neighbours ? byFour(i) : `${i * threads} + ${thread}`),
      read: (i) => `[quad][${neighbours ? (i & 3) * (own / 4) + (i >> 2) : i}][${swizzled(thread, 'quad')}]`,
    };
  }
  return {
    type: (element) => nest(element, threads, own / 4, 4, depth / 4),
    at: (line, quad) => `[(${line}) / 4][(${line}) % 4][(${quad}) / ${threads}][(${quad}) % ${threads}]`,
    outer: (line) => line,
    owned: byFour,
    read: (i, k) => `[quad][${k}][${i}][${thread}]`,
  };
}
