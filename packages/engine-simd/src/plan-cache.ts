/**
 * Things that are costly to make, kept by a key until there are too many: then the one that was used longest ago goes.
 *
 * @typeParam Plan - what is kept.
 */
export class PlanCache<Plan> {
  readonly #plans = new Map<string, Plan>();
  readonly #limit: number;
  readonly #discard: (plan: Plan) => void;

  constructor(limit: number, discard: (plan: Plan) => void) {
    this.#limit = limit;
    this.#discard = discard;
  }

  get size(): number {
    return this.#plans.size;
  }

  /** The plan under a key, made now where there is none. */
  get<P extends Plan>(key: string, make: () => P): P {
    let plan = this.#plans.get(key) as P | undefined;
    if (plan !== undefined && this.#plans.size <= this.#limit >> 1) return plan; // far from full: the order does not matter
    if (plan !== undefined) this.#plans.delete(key);
    plan ??= make();
    this.#plans.set(key, plan);
    if (this.#plans.size > this.#limit) {
      const [oldestKey, oldest] = this.#plans.entries().next().value as [string, Plan];
      this.#plans.delete(oldestKey);
      this.#discard(oldest);
    }
    return plan;
  }
}
