// A picture to show augmentations on: a balloon over a mountain lake, computed from noise, so that nobody's photograph is needed.

/** Pseudo-random number in [0, 1) of a lattice point. */
function lattice(x, y) {
  let h = Math.imul(x, 374761393) ^ Math.imul(y, 668265263);
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

const mix = (a, b, t) => a + (b - a) * t;
const blend = (a, b, t) => a.map((value, i) => mix(value, b[i], t));
const clamp = (x) => Math.min(1, Math.max(0, x));
const ramp = (from, to, x) => {
  const t = clamp((x - from) / (to - from));
  return t * t * (3 - 2 * t);
};

/** Smooth noise in [0, 1]. */
function noise(x, y) {
  const [i, j] = [Math.floor(x), Math.floor(y)];
  const [u, v] = [ramp(0, 1, x - i), ramp(0, 1, y - j)];
  return mix(mix(lattice(i, j), lattice(i + 1, j), u), mix(lattice(i, j + 1), lattice(i + 1, j + 1), u), v);
}

/** Noise summed over octaves, in [0, 1]. */
function clouds(x, y, octaves = 5) {
  let [sum, weight, total] = [0, 1, 0];
  for (let octave = 0; octave < octaves; octave++, weight /= 2) {
    sum += weight * noise(x * 2 ** octave + 17 * octave, y * 2 ** octave + 31 * octave);
    total += weight;
  }
  return sum / total;
}

const horizon = 0.62;

function sky(x, y) {
  const base = blend([0.2, 0.45, 0.8], [0.98, 0.82, 0.62], ramp(0.05, horizon, y));
  const cover = ramp(0.5, 0.72, clouds(2.2 * x + 3, 6 * y, 5));
  const glow = Math.exp(-((x - 0.2) ** 2 + (y - 0.42) ** 2) / 0.03);
  return blend(blend(base, [1, 0.97, 0.94], 0.8 * cover), [1, 0.93, 0.7], 0.75 * glow);
}

function mountains(x, y, colour) {
  const far = 0.47 - 0.2 * (clouds(3 * x + 5, 1.5) - 0.4);
  const near = 0.56 - 0.26 * (clouds(4 * x + 11, 7.5) - 0.45);
  if (y > far) {
    const snow = ramp(far + 0.07, far + 0.015, y + 0.04 * (clouds(20 * x, 20 * y) - 0.5));
    colour = blend([0.46, 0.53, 0.68], [0.96, 0.95, 0.97], snow);
  }
  if (y > near) colour = blend([0.17, 0.32, 0.25], [0.3, 0.42, 0.24], clouds(26 * x, 30 * y, 4));
  return colour;
}

function balloon(x, y, colour) {
  const [dx, dy] = [(x - 0.63) / 0.16, (y - 0.29) / 0.19];
  const narrowed = dx * (1 + 0.35 * Math.max(0, dy));
  const r = narrowed ** 2 + dy ** 2;
  if (r < 1) {
    const stripe = Math.floor(
      (Math.asin(Math.max(-1, Math.min(1, narrowed / Math.sqrt(1 - dy * dy + 1e-6)))) + 1.571) / 0.4488,
    );
    const dyes = [
      [0.86, 0.16, 0.14],
      [0.98, 0.78, 0.16],
      [0.12, 0.4, 0.72],
    ];
    const light = 0.62 + 0.5 * clamp(0.6 - 0.55 * narrowed - 0.4 * dy) - 0.25 * r * r;
    return dyes[stripe % 3].map((value) => clamp(value * light * 1.12));
  }
  if (Math.abs(x - 0.63) < 0.026 && y > 0.525 && y < 0.565) return [0.36, 0.22, 0.12];
  if (y > 0.46 && y < 0.53 && Math.abs(Math.abs(x - 0.63) - mix(0.05, 0.024, (y - 0.46) / 0.07)) < 0.004)
    return [0.25, 0.18, 0.14];
  return colour;
}

const above = (x, y) => balloon(x, y, mountains(x, y, sky(x, y)));

function scene(x, y) {
  const shore = 0.88 - 0.1 * (clouds(3 * x, 2.2) - 0.35) - 0.05 * x;
  if (y < horizon) return above(x, y);
  if (y < shore) {
    const depth = (y - horizon) / (1 - horizon);
    const ripple = 0.03 * (clouds(7 * x, 60 * y, 3) - 0.5) * (0.4 + 2 * depth);
    const mirrored = above(x + ripple, horizon - (y - horizon) * 1.25 + ripple);
    return blend(
      mirrored.map((value) => 0.82 * value),
      [0.1, 0.28, 0.36],
      0.25 + 0.3 * depth,
    );
  }
  const blades = clouds(60 * x + 5 * y, 16 * y, 3);
  const grass = blend([0.13, 0.24, 0.06], [0.55, 0.62, 0.2], blades);
  const [i, j] = [Math.floor(x * 26), Math.floor(y * 26)];
  const [u, v] = [x * 26 - i - 0.3 - 0.4 * lattice(i, j), y * 26 - j - 0.3 - 0.4 * lattice(j, i)];
  const flower = lattice(i + 7, j + 3) > 0.55 && u * u + v * v < 0.035;
  return flower
    ? [
        [0.93, 0.25, 0.35],
        [0.98, 0.95, 0.9],
        [0.75, 0.4, 0.85],
      ][(i + j) % 3]
    : grass;
}

/**
 * Draws the picture.
 *
 * @param {number} size - side in pixels.
 * @returns {Float32Array} RGB in [0, 1], row by row; each pixel is the mean of nine points.
 */
export function photo(size) {
  const pixels = new Float32Array(size * size * 3);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      for (let sample = 0; sample < 9; sample++) {
        const x = (column + ((sample % 3) + 0.5) / 3) / size;
        const y = (row + (Math.floor(sample / 3) + 0.5) / 3) / size;
        const colour = scene(x, y);
        for (let c = 0; c < 3; c++) pixels[(row * size + column) * 3 + c] += clamp(colour[c]) / 9;
      }
    }
  }
  return pixels;
}
