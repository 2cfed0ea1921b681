/** Side of a picture in pixels. */
export const size = 64;

const patterns = {
  stripes: (x, y, scale) => Math.sin((x + y) / scale) > 0,
  rings: (x, y, scale) => Math.sin(Math.hypot(x - size / 2, y - size / 2) / scale) > 0,
  checks: (x, y, scale) => Math.sin(x / scale) * Math.sin(y / scale) > 0,
};

const colors = {
  red: [200, 60, 50],
  green: [70, 160, 80],
  blue: [60, 90, 200],
};

/**
 * Pictures of three patterns in three colours and two scales each.
 *
 * @returns {{ names: string[], pixels: Uint8Array }} pixels of shape [pictures, size, size, 3], RGB
 */
export function drawPictures() {
  const names = [];
  const pixels = [];
  for (const [pattern, isInk] of Object.entries(patterns)) {
    for (const [color, ink] of Object.entries(colors)) {
      for (const scale of [2, 4]) {
        names.push(`${color} ${scale === 2 ? 'fine' : 'coarse'} ${pattern}`);
        for (let y = 0; y < size; y++) {
          for (let x = 0; x < size; x++) pixels.push(...(isInk(x, y, scale) ? ink : [235, 230, 215]));
        }
      }
    }
  }
  return { names, pixels: Uint8Array.from(pixels) };
}
