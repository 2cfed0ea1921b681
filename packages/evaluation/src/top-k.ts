/**
 * The k largest of a stream of values, with the place each came from.
 *
 * Ties go to the earlier place, whatever the order of the offers, so that a result does not depend on how the values were
 * cut into blocks. Kept as a heap with the worst on top: an offer that is not among the best costs one comparison.
 */
export class TopK {
  readonly values: Float32Array;
  readonly places: Int32Array;
  readonly #capacity: number;
  #size = 0;

  constructor(k: number) {
    this.#capacity = k;
    this.values = new Float32Array(k);
    this.places = new Int32Array(k);
  }

  /** Offers `count` values from `offset` on; the first of them has place `firstPlace`. */
  offer(values: Float32Array, offset: number, count: number, firstPlace: number): void {
    for (let i = 0; i < count; i++) {
      const value = values[offset + i] as number;
      if (this.#size < this.#capacity) this.#rise(this.#size++, value, firstPlace + i);
      else if (this.#isWorse(0, value, firstPlace + i)) this.#sink(value, firstPlace + i);
    }
  }

  /** The best first; of equals the earlier. */
  sorted(): { readonly values: Float32Array; readonly places: Int32Array } {
    const order = Array.from({ length: this.#size }, (_, i) => i);
    const { values, places } = this;
    order.sort(
      (a, b) => (values[b] as number) - (values[a] as number) || (places[a] as number) - (places[b] as number),
    );
    return {
      values: Float32Array.from(order, (i) => values[i] as number),
      places: Int32Array.from(order, (i) => places[i] as number),
    };
  }

  /** Whether the entry at `node` is worse than the value given. */
  #isWorse(node: number, value: number, place: number): boolean {
    const own = this.values[node] as number;
    return own < value || (own === value && (this.places[node] as number) > place);
  }

  #put(node: number, value: number, place: number): void {
    this.values[node] = value;
    this.places[node] = place;
  }

  #rise(node: number, value: number, place: number): void {
    let at = node;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#isWorse(parent, value, place)) break;
      this.#put(at, this.values[parent] as number, this.places[parent] as number);
      at = parent;
    }
    this.#put(at, value, place);
  }

  /** Puts the value in the place of the worst. */
  #sink(value: number, place: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (right < this.#size && this.#isWorse(right, this.values[child] as number, this.places[child] as number)) {
        child = right;
      }
      if (!this.#isWorse(child, value, place)) break;
      this.#put(at, this.values[child] as number, this.places[child] as number);
      at = child;
    }
    this.#put(at, value, place);
  }
}
