export type { Bench, BenchResult } from './bench.ts';
export { benches } from './bench-registry.ts';
