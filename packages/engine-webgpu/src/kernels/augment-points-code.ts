import { floatLiteral } from '../dispatch.ts';
import type { PlacedStage, PointKind } from './augment-plan.ts';

/** WGSL of what changes a pixel by itself. A value that is not a number stays one: `clamp` and `max` alone may lose it. */
export const pointFunctions = `
  fn isNaN(x: vec3f) -> vec3<bool> { return (bitcast<vec3u>(x) & vec3u(0x7fffffff)) > vec3u(0x7f800000); }

  fn notANumber() -> vec3f { return bitcast<vec3f>(vec3u(0x7fc00000 | min(uniforms.views, 1))); }

  fn unit(x: vec3f) -> vec3f { return select(clamp(x, vec3f(0), vec3f(1)), x, isNaN(x)); }

  fn luminance(x: vec3f) -> f32 { return 0.2989 * x.r + 0.587 * x.g + 0.114 * x.b; }

  fn blend(x: vec3f, pivot: f32, factor: f32) -> vec3f { return unit(x * factor + (1 - factor) * pivot); }

  // One channel of HSV -> RGB.
  fn hueChannel(value: f32, chroma: f32, sextant: f32) -> f32 {
    let k = sextant - 6 * floor(sextant / 6);
    return value - chroma * clamp(min(k, 4 - k), 0, 1);
  }

  // RGB -> HSV, hue + shift turns, HSV -> RGB; red decides before green before blue where two are largest.
  fn adjustHue(x: vec3f, shift: f32) -> vec3f {
    if (any(isNaN(x))) { return notANumber(); }
    let value = max(max(x.r, x.g), x.b);
    let chroma = value - min(min(x.r, x.g), x.b);
    // On gray pixels all differences are 0, whatever they are divided by.
    let divisor = max(chroma, 1e-30);
    var sextant = (x.r - x.g) / divisor + 4;
    if (value == x.r) { sextant = (x.g - x.b) / divisor; }
    else if (value == x.g) { sextant = (x.b - x.r) / divisor + 2; }
    sextant += 6 * shift;
    return vec3f(
      hueChannel(value, chroma, sextant + 5),
      hueChannel(value, chroma, sextant + 3),
      hueChannel(value, chroma, sextant + 1),
    );
  }`;

/** WGSL of a colour jitter: the operations of a row from one place to another, contrast around `pivot`. */
export const jitterFunctions = `
  const CONTRAST = 1u;

  fn operationAt(column: u32, place: u32) -> u32 { return u32(parameters[column + 1 + place]); }

  // Place of the contrast in the sequence; 4 where the jitter is not applied.
  fn contrastPlace(column: u32) -> u32 {
    if (!(parameters[column] > 0)) { return 4; }
    for (var place = 0u; place < 4; place++) {
      if (operationAt(column, place) == CONTRAST) { return place; }
    }
    return 4;
  }

  fn jitter(pixel: vec3f, column: u32, begin: u32, end: u32, pivot: f32) -> vec3f {
    if (!(parameters[column] > 0)) { return pixel; }
    var x = pixel;
    for (var place = begin; place < end; place++) {
      let operation = operationAt(column, place);
      let factor = parameters[column + 5 + operation];
      switch operation {
        case 0: { x = unit(x * factor); }
        case 1: { x = blend(x, pivot, factor); }
        case 2: { x = blend(x, luminance(x), factor); }
        default: { if (factor != 0) { x = adjustHue(x, factor); } }
      }
    }
    return x;
  }`;

const vector = (values: readonly number[]): string => `vec3f(${values.map(floatLiteral).join(', ')})`;

/** WGSL that changes the variable `pixel` as a stage demands; a colour jitter is not among them. */
export function pointCode({ stage, column }: PlacedStage<PointKind>): string {
  const applied = `parameters[row + ${column}] > 0`;
  switch (stage.kind) {
    case 'solarize':
      return `if (${applied}) { pixel = select(pixel, 1 - pixel, pixel >= vec3f(parameters[row + ${column + 1}])); }`;
    case 'grayscale':
      return `if (${applied}) { pixel = vec3f(luminance(pixel)); }`;
    case 'normalize':
      return `if (${applied}) { pixel = (pixel - ${vector(stage.mean)}) / ${vector(stage.std)}; }`;
    case 'colorJitter':
      throw new Error('pointCode: a colour jitter needs the mean of the image.');
  }
}
