import type { ImageSize, PlacedStage, Segment } from './augment-plan.ts';

/** Where the images of a dispatch come from. */
export type ImageSource =
  /** Views of the dispatch before, float32. */
  | { readonly kind: 'views' }
  /** Float32 images; view r is made of image r mod N. */
  | { readonly kind: 'floats' }
  /** Packed images in shards, by indices; view r is made of image indices[r mod N]. */
  | { readonly kind: 'packed'; readonly shards: number };

/** WGSL: `imageOf(view)`, and `texel(image, y, x)`, a pixel of the image as it is. */
export function sourceCode(source: ImageSource, [height, width]: ImageSize): string {
  if (source.kind !== 'packed') {
    return `
  fn imageOf(view: u32) -> u32 { return ${source.kind === 'views' ? 'view' : 'view % uniforms.images'}; }

  fn texel(image: u32, y: u32, x: u32) -> vec3f {
    let at = ((image * ${height} + y) * ${width} + x) * 3;
    return vec3f(images[at], images[at + 1], images[at + 2]);
  }`;
  }
  const words = Math.ceil((height * width * 3) / 4);
  const cases = Array.from({ length: source.shards }, (_, s) => `case ${s}: { return shard${s}[at]; }`);
  return `
  fn imageOf(view: u32) -> u32 { return u32(indices[view % uniforms.images]); }

  fn wordOf(shard: u32, at: u32) -> u32 {
    switch shard {
      ${cases.join('\n      ')}
      default: { return 0; }
    }
  }

  // Three bytes out of one word or two; an image that is not there is not a number.
  fn texel(image: u32, y: u32, x: u32) -> vec3f {
    if (image >= uniforms.stored) { return notANumber(); }
    let shard = image / uniforms.perShard;
    let first = image % uniforms.perShard * ${words};
    let byte = (y * ${width} + x) * 3;
    let shift = byte % 4 * 8;
    var bits = wordOf(shard, first + byte / 4) >> shift;
    if (shift > 8) { bits |= wordOf(shard, first + byte / 4 + 1) << (32 - shift); }
    return vec3f(f32(bits & 255), f32((bits >> 8) & 255), f32((bits >> 16) & 255)) / vec3f(255);
  }`;
}

/** WGSL: `fetch(image, row, y, x)`, a pixel of the result before it is mirrored or changed. */
export function fetchCode({ spatial, from, to }: Segment): string {
  if (spatial === null || spatial.stage.kind === 'gaussianBlur') {
    return 'fn fetch(image: u32, row: u32, y: u32, x: u32) -> vec3f { return texel(image, y, x); }';
  }
  const { stage, column } = spatial as PlacedStage<'resizedCrop'>;
  return `
  struct Taps { first: i32, last: i32, centre: f32, support: f32, total: f32 }

  fn tapWeight(taps: Taps, j: i32, size: f32) -> f32 {
    return max(0, 1 - abs(taps.centre - (f32(j) + 0.5) * size) / taps.support);
  }

  // Input pixels of output pixel i: max(0, 1 - |(i + 1/2) length - (j + 1/2) size| / support); both products are exact.
  fn tapsOf(i: u32, length: f32, size: f32) -> Taps {
    let centre = (f32(i) + 0.5) * length;
    let support = ${stage.antialias ? 'max(length, size)' : 'size'};
    let first = max(0, i32(floor((centre - support) / size - 0.5)));
    let last = min(i32(length) - 1, i32(ceil((centre + support) / size - 0.5)));
    var taps = Taps(first, last, centre, support, 0);
    for (var j = first; j <= last; j++) { taps.total += tapWeight(taps, j, size); }
    return taps;
  }

  // Also false where one of them is not a number.
  fn isInside(begin: f32, length: f32, size: f32) -> bool {
    return begin >= 0 && length >= 1 && begin + length <= size;
  }

  fn fetch(image: u32, row: u32, y: u32, x: u32) -> vec3f {
    let top = parameters[row + ${column}];
    let left = parameters[row + ${column + 1}];
    let height = parameters[row + ${column + 2}];
    let width = parameters[row + ${column + 3}];
    if (!isInside(top, height, ${from[0]}) || !isInside(left, width, ${from[1]})) { return notANumber(); }
    let down = tapsOf(y, height, ${to[0]});
    let across = tapsOf(x, width, ${to[1]});
    var sum = vec3f();
    for (var i = down.first; i <= down.last; i++) {
      var line = vec3f();
      for (var j = across.first; j <= across.last; j++) {
        line += texel(image, u32(i32(top) + i), u32(i32(left) + j)) * tapWeight(across, j, ${to[1]});
      }
      sum += line * tapWeight(down, i, ${to[0]});
    }
    return sum / (down.total * across.total);
  }`;
}

/** WGSL that sets `mirrored`: whether the flips of a segment, taken together, mirror the image. */
export const mirroredCode = (flips: readonly number[]): string =>
  `let mirrored = (${[...flips.map((column) => `u32(parameters[row + ${column}] > 0)`), '0u'].join(' + ')}) % 2 == 1;`;
