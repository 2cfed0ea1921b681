// @types/seedrandom describes the package's entry only. The entry brings in Node's crypto; this file of it needs nothing.
declare module 'seedrandom/lib/alea.js' {
  export default function alea(seed: string): () => number;
}
