/** Anchors of a workgroup, candidates that it takes at a time, and elements of their vectors that lie in its memory at a time. */
export const ANCHORS = 8;
export const CANDIDATES = 32;
const SLICE = 64;
/** Elements of the gradient that a workgroup makes for each of its anchors. */
export const GRADIENT_ELEMENTS = 128;

/**
 * Rows over their norms, a workgroup for each. The norm is formed in the scale of the row's largest element, so that no square leaves
 * float32; a quarter of both keeps that scale where WGSL demands exact division.
 *
 * `divisors` gets the scale, negative where 1e-12 divides whatever the row is, and the norm in that scale, at least 1.
 */
export const unitRowsCode: string = `
  const THREADS = 64u;
  var<workgroup> parts: array<f32, THREADS>;

  fn element(row: u32, index: u32) -> f32 { return projections[row * uniforms.elements + index]; }

  @compute @workgroup_size(THREADS)
  fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) thread: u32,
  ) {
    let row = group.x + group.y * groups.x;
    if (row >= uniforms.rows) { return; }
    var largest = 0f;
    for (var i = thread; i < uniforms.elements; i += THREADS) { largest = max(largest, abs(element(row, i))); }
    parts[thread] = largest;
    for (var half = THREADS / 2; half > 0; half /= 2) {
      workgroupBarrier();
      if (thread < half) { parts[thread] = max(parts[thread], parts[thread + half]); }
    }
    let scale = max(workgroupUniformLoad(&parts[0]), 1e-12);
    var square = 0f;
    for (var i = thread; i < uniforms.elements; i += THREADS) {
      let scaled = (element(row, i) * 0.25) / (scale * 0.25);
      square += scaled * scaled;
    }
    parts[thread] = square;
    for (var half = THREADS / 2; half > 0; half /= 2) {
      workgroupBarrier();
      if (thread < half) { parts[thread] += parts[thread + half]; }
    }
    let norm = sqrt(workgroupUniformLoad(&parts[0]));
    let length = max(norm, 1);
    for (var i = thread; i < uniforms.elements; i += THREADS) {
      units[row * uniforms.elements + i] = (element(row, i) * 0.25) / (scale * 0.25) / length;
    }
    if (thread == 0) {
      divisors[2 * row] = select(-scale, scale, scale > 1e-12 || norm > 1);
      divisors[2 * row + 1] = length;
    }
  }`;

/**
 * WGSL of both directions: thread (anchor, candidate) of a workgroup makes one cosine of a tile.
 *
 * Tile 0 has the positives of the anchors, so that a logit compares with its positive after the same additions; the others have all rows.
 */
const tiles = `
  const THREADS = ${ANCHORS * CANDIDATES}u;
  const ANCHORS = ${ANCHORS}u;
  const CANDIDATES = ${CANDIDATES}u;
  const SLICE = ${SLICE}u;
  // An odd stride puts the same element of neighbouring candidates into different banks.
  const STRIDE = SLICE + 1;

  var<workgroup> anchors: array<f32, ANCHORS * STRIDE>;
  var<workgroup> candidates: array<f32, CANDIDATES * STRIDE>;

  fn partner(row: u32) -> u32 { return (row + uniforms.rows / 2) % uniforms.rows; }

  fn isNaN(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffff) > 0x7f800000; }

  // Rows beyond the last are taken for the last; what comes of them is not used.
  fn candidateOf(tile: u32, place: u32, firstAnchor: u32) -> u32 {
    let last = uniforms.rows - 1;
    if (tile == 0) { return partner(min(firstAnchor + place % ANCHORS, last)); }
    return min((tile - 1) * CANDIDATES + place, last);
  }

  // Cosine of this thread's anchor and candidate; the same for both orders of the two.
  fn cosineOf(tile: u32, firstAnchor: u32, thread: u32) -> f32 {
    let anchor = thread / CANDIDATES * STRIDE;
    let candidate = thread % CANDIDATES * STRIDE;
    var product = 0f;
    for (var begin = 0u; begin < uniforms.elements; begin += SLICE) {
      workgroupBarrier();
      for (var i = thread; i < ANCHORS * SLICE; i += THREADS) {
        let row = min(firstAnchor + i / SLICE, uniforms.rows - 1);
        anchors[i / SLICE * STRIDE + i % SLICE] = element(row, begin + i % SLICE);
      }
      for (var i = thread; i < CANDIDATES * SLICE; i += THREADS) {
        let row = candidateOf(tile, i / SLICE, firstAnchor);
        candidates[i / SLICE * STRIDE + i % SLICE] = element(row, begin + i % SLICE);
      }
      workgroupBarrier();
      for (var k = 0u; k < SLICE; k++) { product += anchors[anchor + k] * candidates[candidate + k]; }
    }
    return product;
  }

  fn element(row: u32, index: u32) -> f32 {
    if (index >= uniforms.elements) { return 0; }
    return units[row * uniforms.elements + index];
  }`;

/** The table of logits, tile by tile, for losses that need it. */
export const pairLogitsCode: string = `
  ${tiles}
  @compute @workgroup_size(THREADS)
  fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let firstAnchor = group.x * ANCHORS;
    let anchor = firstAnchor + thread / CANDIDATES;
    let candidate = group.y * CANDIDATES + thread % CANDIDATES;
    let logit = cosineOf(group.y + 1, firstAnchor, thread) / uniforms.temperature;
    if (anchor < uniforms.rows && candidate < uniforms.rows) {
      logits[anchor * uniforms.rows + candidate] = select(logit, uniforms.masked, anchor == candidate);
    }
  }`;

/**
 * For every anchor: loss, rank of its positive, and for the gradient the largest logit, the logarithm of the sum of exponentials of all
 * others less it, and what the positive's probability lacks of 1.
 *
 * Largest logit and logarithm stay apart: at low temperatures their sum would round the logarithm away. The positive stays out of the sums
 * first. Where it leads by far, the loss and the lack are small numbers, and these ways keep all their digits:
 *
 *     d = log(sum over negatives of exp(logit)) - positive,   lack = 1 / (1 + exp(-d)),   loss = log(1 + exp(d))
 */
export const ntXentCode: string = `
  ${tiles}
  var<workgroup> positives: array<f32, ANCHORS>;
  var<workgroup> maxima: array<f32, THREADS>;
  var<workgroup> sums: array<f32, THREADS>;
  var<workgroup> above: array<f32, THREADS>;

  // log(1 + exp(x))
  fn softplus(x: f32) -> f32 {
    let small = exp(-abs(x));
    let series = small * (1 - small * (0.5 - small * (0.33333334 - small * 0.25)));
    return max(x, 0) + select(log(1 + small), series, small < 0.03);
  }

  @compute @workgroup_size(THREADS)
  fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let firstAnchor = group.x * ANCHORS;
    let place = thread / CANDIDATES;
    let lane = thread % CANDIDATES;
    let anchor = firstAnchor + place;
    var maximum = -3e38f;
    var sum = 0f;
    var greater = 0f;
    var positive = 0f;
    for (var tile = 0u; tile < uniforms.tiles; tile++) {
      let logit = cosineOf(tile, firstAnchor, thread) / uniforms.temperature;
      if (tile == 0) {
        if (lane == place) { positives[place] = logit; }
        workgroupBarrier();
        positive = positives[place];
      } else {
        let candidate = (tile - 1) * CANDIDATES + lane;
        if (candidate < uniforms.rows && candidate != anchor) {
          // More than all others there are: a logit that is not a number spoils the rank of its anchor.
          if (isNaN(logit)) { greater += f32(uniforms.rows) * f32(uniforms.rows); sum = logit; }
          else if (candidate != partner(anchor)) {
            let next = max(maximum, logit);
            sum = sum * exp(maximum - next) + exp(logit - next);
            maximum = next;
            if (logit > positive) { greater += 1; }
          }
        }
      }
    }
    maxima[thread] = maximum;
    sums[thread] = sum;
    above[thread] = greater;
    for (var half = CANDIDATES / 2; half > 0; half /= 2) {
      workgroupBarrier();
      if (lane < half) {
        let next = max(maxima[thread], maxima[thread + half]);
        sums[thread] = sums[thread] * exp(maxima[thread] - next) + sums[thread + half] * exp(maxima[thread + half] - next);
        maxima[thread] = next;
        above[thread] += above[thread + half];
      }
    }
    if (lane == 0 && anchor < uniforms.rows) {
      var loss = sums[thread];
      var lack = loss;
      var largest = positive;
      var logSum = loss;
      if (!isNaN(loss) && loss != 0) { // with a single pair there are no negatives: the sum, the loss and the lack are 0
        let difference = (maxima[thread] - positive) + log(sums[thread]);
        loss = softplus(difference);
        lack = exp(min(difference, 0)) / (1 + exp(-abs(difference)));
        largest = max(maxima[thread], positive);
        logSum = log(sums[thread] * exp(maxima[thread] - largest) + exp(positive - largest));
      }
      logSums[anchor] = largest;
      logSums[uniforms.rows + anchor] = logSum;
      logSums[2 * uniforms.rows + anchor] = lack;
      losses[anchor] = loss;
      ranks[anchor] = min(above[thread], f32(uniforms.rows));
    }
  }`;

/** Mean of all losses. */
export const meanLossCode: string = `
  var<workgroup> sums: array<f32, 256>;

  @compute @workgroup_size(256)
  fn main(@builtin(local_invocation_index) thread: u32) {
    var sum = 0f;
    for (var i = thread; i < uniforms.rows; i += 256) { sum += losses[i]; }
    sums[thread] = sum;
    for (var half = 128u; half > 0; half /= 2) {
      workgroupBarrier();
      if (thread < half) { sums[thread] += sums[thread + half]; }
    }
    if (thread == 0) { loss[0] = sums[0] / f32(uniforms.rows); }
  }`;

/**
 * The gradient of some anchors and elements: with w_ij = softmax_i(j) + softmax_j(i), less 2 at the positive,
 *
 *     dz_i = dy / (rows temperature |z_i|) sum_j w_ij (u_j - cosine_ij u_i),
 *
 * the part along u_i only where |z_i| divides.
 */
export const ntXentGradientCode: string = `
  ${tiles}
  const LANE_ELEMENTS = ${GRADIENT_ELEMENTS}u / CANDIDATES;
  var<workgroup> weights: array<f32, THREADS>;
  var<workgroup> radials: array<f32, THREADS>;

  // Probability of a logit among those of an anchor.
  fn share(logit: f32, anchor: u32) -> f32 { return exp((logit - logSums[anchor]) - logSums[uniforms.rows + anchor]); }

  @compute @workgroup_size(THREADS)
  fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let firstAnchor = group.x * ANCHORS;
    let place = thread / CANDIDATES;
    let lane = thread % CANDIDATES;
    let anchor = firstAnchor + place;
    let firstElement = group.y * LANE_ELEMENTS * CANDIDATES + lane;
    var gradients: array<f32, LANE_ELEMENTS>;
    var radial = 0f;
    for (var tile = 1u; tile < uniforms.tiles; tile++) {
      let cosine = cosineOf(tile, firstAnchor, thread);
      let candidate = (tile - 1) * CANDIDATES + lane;
      var weight = 0f;
      if (anchor < uniforms.rows && candidate < uniforms.rows && candidate != anchor) {
        let logit = cosine / uniforms.temperature;
        if (candidate == partner(anchor)) {
          weight = -(logSums[2 * uniforms.rows + anchor] + logSums[2 * uniforms.rows + candidate]);
        } else {
          weight = share(logit, anchor) + share(logit, candidate);
        }
        radial += weight * cosine;
      }
      weights[thread] = weight;
      workgroupBarrier();
      for (var k = 0u; k < CANDIDATES; k++) {
        let row = min((tile - 1) * CANDIDATES + k, uniforms.rows - 1);
        let own = weights[place * CANDIDATES + k];
        for (var e = 0u; e < LANE_ELEMENTS; e++) {
          gradients[e] += own * element(row, firstElement + e * CANDIDATES);
        }
      }
    }
    radials[thread] = radial;
    for (var half = CANDIDATES / 2; half > 0; half /= 2) {
      workgroupBarrier();
      if (lane < half) { radials[thread] += radials[thread + half]; }
    }
    workgroupBarrier();
    if (anchor >= uniforms.rows) { return; }
    let scale = divisors[2 * anchor];
    let along = select(0, radials[place * CANDIDATES], scale > 0);
    let factor = dy[0] / (f32(uniforms.rows) * uniforms.temperature);
    for (var e = 0u; e < LANE_ELEMENTS; e++) {
      let index = firstElement + e * CANDIDATES;
      if (index < uniforms.elements) {
        let du = factor * (gradients[e] - along * element(anchor, index));
        gradient[anchor * uniforms.elements + index] = (du / divisors[2 * anchor + 1]) * 0.25 / (abs(scale) * 0.25);
      }
    }
  }`;
