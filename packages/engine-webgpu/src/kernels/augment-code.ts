import type { PlacedStage, PointKind, Segment } from './augment-plan.ts';
import { jitterFunctions, pointCode, pointFunctions } from './augment-points-code.ts';
import { fetchCode, type ImageSource, mirroredCode, sourceCode } from './augment-source-code.ts';

const THREADS = 256;

/** Side of the square of pixels that a workgroup blurs. */
export const BLUR_TILE = 16;

const store = `
  fn store(view: u32, position: u32, size: u32, pixel: vec3f) {
    let at = (view * size + position) * 3;
    output[at] = pixel.r;
    output[at + 1] = pixel.g;
    output[at + 2] = pixel.b;
  }`;

/** What a pass over a view does to its pixels: points, and a jitter up to its contrast, which ends the pass. */
interface Pass {
  /** The jitter whose contrast and what follows it begin the pass. */
  readonly resumes: PlacedStage<'colorJitter'> | null;
  readonly points: ReadonlyArray<PlacedStage<PointKind>>;
  readonly pauses: PlacedStage<'colorJitter'> | null;
}

function passesOf(points: Segment['points']): Pass[] {
  const passes: Pass[] = [];
  let current: { resumes: Pass['resumes']; points: Array<PlacedStage<PointKind>> } = { resumes: null, points: [] };
  for (const placed of points) {
    if (placed.stage.kind !== 'colorJitter') {
      current.points.push(placed);
      continue;
    }
    const jitter = placed as PlacedStage<'colorJitter'>;
    passes.push({ ...current, pauses: jitter });
    current = { resumes: jitter, points: [] };
  }
  return [...passes, { ...current, pauses: null }];
}

/** A view for each workgroup, pixel by pixel; between the passes it lies in the output, and only the mean of the luminance is shared. */
export function viewCode(segment: Segment, source: ImageSource, columns: number): string {
  const [height, width] = segment.to;
  const size = height * width;
  const passes = passesOf(segment.points);
  const body = passes.map(({ resumes, points, pauses }, i) => {
    const begin =
      i === 0
        ? `let x = position % ${width};
          var pixel = fetch(image, row, position / ${width}, select(x, ${width - 1} - x, mirrored));`
        : `let at = (view * ${size} + position) * 3;
          var pixel = vec3f(output[at], output[at + 1], output[at + 2]);`;
    const column = (jitter: PlacedStage<'colorJitter'>) => `row + ${jitter.column}`;
    return `
    {
      ${resumes ? `let pivot = meanOf(thread) / ${size}; let paused = contrastPlace(${column(resumes)});` : ''}
      var sum = 0f;
      for (var position = thread; position < ${size}; position += ${THREADS}) {
        ${begin}
        ${resumes ? `pixel = jitter(pixel, ${column(resumes)}, paused, 4, pivot);` : ''}
        ${points.map(pointCode).join('\n        ')}
        ${pauses ? `pixel = jitter(pixel, ${column(pauses)}, 0, contrastPlace(${column(pauses)}), 0); sum += luminance(pixel);` : ''}
        store(view, position, ${size}, pixel);
      }
      ${pauses ? 'sums[thread] = sum;' : ''}
    }`;
  });
  return `
  ${pointFunctions}
  ${passes.length > 1 ? jitterFunctions + meanFunction : ''}
  ${sourceCode(source, segment.from)}
  ${fetchCode(segment)}
  ${store}

  @compute @workgroup_size(${THREADS})
  fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) thread: u32,
  ) {
    let view = group.x + group.y * groups.x;
    if (view >= uniforms.views) { return; }
    let row = view * ${columns};
    let image = imageOf(view);
    ${mirroredCode(segment.flips)}
    ${body.join('\n')}
  }`;
}

/** Sum over all threads, in a fixed order; every thread gets it. */
const meanFunction = `
  var<workgroup> sums: array<f32, ${THREADS}>;

  fn meanOf(thread: u32) -> f32 {
    for (var half = ${THREADS / 2}u; half > 0; half /= 2) {
      workgroupBarrier();
      if (thread < half) { sums[thread] += sums[thread + half]; }
    }
    workgroupBarrier();
    let sum = sums[0];
    // Before the next pass writes its own.
    workgroupBarrier();
    return sum;
  }`;

/** Bytes of workgroup memory that a blur needs to go down, then across a square. */
export function blurMemory(kernelSize: number): number {
  const side = BLUR_TILE + kernelSize - 1;
  return 4 * (side * side + BLUR_TILE * side + kernelSize);
}

/**
 * A square of a view for each workgroup, blurred downwards, then across, in its memory; where the kernel is too large for that, each
 * pixel sums over all of its neighbours.
 */
export function blurCode(segment: Segment, source: ImageSource, columns: number, inMemory: boolean): string {
  const { stage, column } = segment.spatial as PlacedStage<'gaussianBlur'>;
  const [height, width] = segment.to;
  const taps = stage.kernelSize;
  const radius = (taps - 1) / 2;
  const side = BLUR_TILE + 2 * radius;
  const across = Math.ceil(width / BLUR_TILE);
  const tiles = across * Math.ceil(height / BLUR_TILE);
  const separate = ['r', 'g', 'b'].map(
    (channel) => `
    for (var i = thread; i < ${side * side}; i += ${THREADS}) {
      let y = mirror(tileY + i32(i / ${side}) - ${radius}, ${height});
      let x = mirror(tileX + i32(i % ${side}) - ${radius}, ${width});
      square[i] = texel(image, y, x).${channel};
    }
    workgroupBarrier();
    for (var i = thread; i < ${BLUR_TILE * side}; i += ${THREADS}) {
      var sum = 0f;
      for (var k = 0u; k < ${taps}; k++) { sum += weights[k] * square[i + k * ${side}]; }
      lines[i] = sum;
    }
    workgroupBarrier();
    for (var k = 0u; k < ${taps}; k++) { blurred.${channel} += weights[k] * lines[line + k]; }`,
  );
  const together = `
    for (var i = 0; i < ${taps}; i++) {
      var line = vec3f();
      for (var j = 0; j < ${taps}; j++) {
        line += weights[j] * texel(image, mirror(y + i - ${radius}, ${height}), mirror(x + j - ${radius}, ${width}));
      }
      blurred += weights[i] * line;
    }`;
  return `
  ${pointFunctions}
  ${sourceCode(source, segment.from)}
  ${store}
  var<workgroup> weights: array<f32, ${taps}>;
  ${
    inMemory
      ? `var<workgroup> square: array<f32, ${side * side}>;
  var<workgroup> lines: array<f32, ${BLUR_TILE * side}>;`
      : ''
  }

  // Row or column after a reflection at either end; beyond the last square there is nothing to see, but it must exist.
  fn mirror(i: i32, size: i32) -> u32 {
    return u32(clamp(select(abs(i), 2 * (size - 1) - i, i >= size), 0, size - 1));
  }

  @compute @workgroup_size(${THREADS})
  fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) thread: u32,
  ) {
    let tile = group.x + group.y * groups.x;
    let view = tile / ${tiles};
    if (view >= uniforms.views) { return; }
    let row = view * ${columns};
    let image = imageOf(view);
    ${mirroredCode(segment.flips)}
    if (thread == 0) {
      let sigma = parameters[row + ${column + 1}];
      var total = 0f;
      for (var k = 0; k < ${taps}; k++) {
        let ratio = f32(k - ${radius}) / sigma;
        weights[k] = exp(-0.5 * ratio * ratio);
        total += weights[k];
      }
      for (var k = 0; k < ${taps}; k++) { weights[k] /= total; }
    }
    workgroupBarrier();
    let tileY = i32(tile % ${tiles} / ${across} * ${BLUR_TILE});
    let tileX = i32(tile % ${tiles} % ${across} * ${BLUR_TILE});
    let y = tileY + i32(thread / ${BLUR_TILE});
    let x = tileX + i32(thread % ${BLUR_TILE});
    var blurred = vec3f();
    let line = thread / ${BLUR_TILE} * ${side} + thread % ${BLUR_TILE};
    ${inMemory ? separate.join('') : together}
    if (y >= ${height} || x >= ${width}) { return; }
    var pixel = blurred;
    if (!(parameters[row + ${column}] > 0)) { pixel = texel(image, u32(y), u32(x)); }
    ${segment.points.map(pointCode).join('\n    ')}
    store(view, u32(y * ${width} + select(x, ${width - 1} - x, mirrored)), ${height * width}, pixel);
  }`;
}
