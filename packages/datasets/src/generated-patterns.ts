/**
 * A pattern over the plane with period 1: positive inside its figures, negative outside, about the distance to the edge.
 */
export type Pattern = (u: number, v: number) => number;

/** Makes one instance of a pattern; `random` draws what may differ between images of a class. */
export type PatternFamily = (random: () => number) => Pattern;

const fraction = (x: number): number => x - Math.floor(x);
/** `Math.hypot` takes several times as long. */
const distance = (u: number, v: number): number => Math.sqrt(u * u + v * v);
/** Half of each period inside. */
const stripe = (x: number): number => 0.25 - Math.abs(fraction(x) - 0.5);

/** Repeats a figure in every cell, each moved a little by `random`'s hash of the cell. */
function scattered(random: () => number, figure: Pattern): Pattern {
  const key = Math.floor(random() * 2 ** 31);
  return (u, v) => {
    const [column, row] = [Math.floor(u), Math.floor(v)];
    let hash = Math.imul(column ^ key, 0x9e3779b1) ^ Math.imul(row + key, 0x85ebca77);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    const moveU = ((hash & 255) / 255 - 0.5) * 0.2;
    const moveV = (((hash >>> 8) & 255) / 255 - 0.5) * 0.2;
    return figure(u - column - 0.5 - moveU, v - row - 0.5 - moveV);
  };
}

/** A pattern of the distance and direction from a centre near the middle of the image. */
function centred(random: () => number, pattern: (u: number, v: number, radius: number) => number): Pattern {
  const [centreU, centreV] = [(random() - 0.5) * 2.5, (random() - 0.5) * 2.5];
  return (u, v) => pattern(u - centreU, v - centreV, distance(u - centreU, v - centreV));
}

/** The pattern of each class, by its name. A mirror image of a pattern is of the same class. */
export const patternFamilies: ReadonlyArray<readonly [name: string, family: PatternFamily]> = [
  ['rows', () => (_, v) => stripe(v)],
  ['checks', () => (u, v) => 4 * stripe(u) * stripe(v)],
  ['rings', (random) => centred(random, (_u, _v, radius) => stripe(radius))],
  ['crosses', (random) => scattered(random, (a, b) => cross(Math.abs(a), Math.abs(b)))],
  ['columns', () => (u) => stripe(u)],
  ['dots', (random) => scattered(random, (a, b) => 0.3 - distance(a, b))],
  ['rays', (random) => rays(random)],
  ['triangles', (random) => scattered(random, (a, b) => Math.min(0.32 - b, (b + 0.36) * 0.55 - Math.abs(a)))],
  ['diagonals', (random) => diagonals(random)],
  ['bricks', () => brick],
  ['blobs', (random) => blobs(random)],
  ['squares', (random) => centred(random, (u, v) => stripe(Math.max(Math.abs(u), Math.abs(v))))],
  ['zigzags', () => (u, v) => stripe(v + 0.7 * Math.abs(fraction(u / 2) - 0.5) * 2)],
  ['circles', (random) => scattered(random, (a, b) => 0.1 - Math.abs(distance(a, b) - 0.3))],
  ['spirals', (random) => centred(random, (u, v, radius) => stripe(radius - Math.abs(Math.atan2(v, u)) / Math.PI))],
  ['grid', () => (u, v) => Math.max(Math.abs(fraction(u) - 0.5), Math.abs(fraction(v) - 0.5)) - 0.37],
];

function cross(a: number, b: number): number {
  return Math.max(Math.min(0.4 - a, 0.12 - b), Math.min(0.4 - b, 0.12 - a));
}

function brick(u: number, v: number): number {
  const shift = Math.floor(v) % 2 === 0 ? 0 : 0.5;
  return Math.min(0.4 - Math.abs(fraction(v) - 0.5), 0.9 - 2 * Math.abs(fraction(u / 2 + shift) - 0.5));
}

function rays(random: () => number): Pattern {
  const count = 6 + Math.floor(random() * 5);
  const turn = random();
  return centred(random, (u, v, radius) => stripe((Math.atan2(v, u) / (2 * Math.PI)) * count + turn) * radius);
}

function diagonals(random: () => number): Pattern {
  const side = random() < 0.5 ? -Math.SQRT1_2 : Math.SQRT1_2;
  return (u, v) => stripe(u * side + v * Math.SQRT1_2);
}

/** Three plane waves in random directions, cut at their mean. */
function blobs(random: () => number): Pattern {
  const waves = Array.from({ length: 3 }, (_, i) => {
    const angle = ((i + random()) / 3) * Math.PI;
    return { x: Math.cos(angle) * 4, y: Math.sin(angle) * 4, phase: random() * 2 * Math.PI };
  });
  return (u, v) => waves.reduce((sum, { x, y, phase }) => sum + 0.08 * Math.sin(u * x + v * y + phase), 0);
}
