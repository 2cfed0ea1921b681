// @ts-check

/** Coefficients of a block. */
const coefficients = 64;

/**
 * Whether the scans of a JPEG give every bit of its picture. Decoders fill in what is missing each in their own way: libjpeg
 * with gray, with blocks or with a smooth guess.
 */
export class ScanProgress {
  /** Bits that each coefficient of a component still lacks. @type {Map<number, Uint8Array>} */
  #lacking;

  /** @param {Iterable<number>} components their identifiers */
  constructor(components) {
    this.#lacking = new Map(Array.from(components, (id) => [id, new Uint8Array(coefficients).fill(255)]));
  }

  /**
   * Counts a scan in.
   *
   * @param {Iterable<number>} components
   * @param {number} first coefficient
   * @param {number} last
   * @param {number} low bits that are left for later scans
   */
  add(components, first, last, low) {
    for (const id of components) this.#lacking.get(id)?.fill(low, first, last + 1);
  }

  get complete() {
    return [...this.#lacking.values()].every((bits) => bits.every((count) => count === 0));
  }
}
