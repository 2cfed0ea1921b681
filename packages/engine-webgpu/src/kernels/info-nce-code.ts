/** Anchors of a workgroup, candidates that it takes at a time, and elements of their vectors that lie in its memory at a time. */
export const ANCHORS = 8;
export const CANDIDATES = 32;
const SLICE = 64;
/** Elements of the gradient that a workgroup makes for each of its anchors. */
export const GRADIENT_ELEMENTS = 128;

/**
 * WGSL of both directions: thread (anchor, candidate) of a workgroup makes one logit of a tile.
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

  struct Pair { cosine: f32, anchorNorm: f32, candidateNorm: f32 }

  // Rows beyond the last are taken for the last; what comes of them is not used.
  fn candidateOf(tile: u32, place: u32, firstAnchor: u32) -> u32 {
    let last = uniforms.rows - 1;
    if (tile == 0) { return partner(min(firstAnchor + place % ANCHORS, last)); }
    return min((tile - 1) * CANDIDATES + place, last);
  }

  // Cosine of this thread's anchor and candidate, and their norms.
  fn pairOf(tile: u32, firstAnchor: u32, thread: u32) -> Pair {
    let anchor = thread / CANDIDATES * STRIDE;
    let candidate = thread % CANDIDATES * STRIDE;
    var product = 0f;
    var anchorSquare = 0f;
    var candidateSquare = 0f;
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
      for (var k = 0u; k < SLICE; k++) {
        let a = anchors[anchor + k];
        let b = candidates[candidate + k];
        product += a * b;
        anchorSquare += a * a;
        candidateSquare += b * b;
      }
    }
    let norms = vec2f(sqrt(anchorSquare), sqrt(candidateSquare));
    return Pair(product / max(norms.x, 1e-12) / max(norms.y, 1e-12), norms.x, norms.y);
  }

  fn element(row: u32, index: u32) -> f32 {
    if (index >= uniforms.elements) { return 0; }
    return projections[row * uniforms.elements + index];
  }`;

/**
 * For every anchor: logarithm of the sum of exponentials over all others, loss, rank of its positive, and what its positive's probability
 * lacks of 1.
 *
 * The positive stays out of the sums. Where it leads by far, the loss and the lack are small numbers, and these ways keep all their digits:
 *
 *     d = log(sum over negatives of exp(logit)) - positive,   lack = 1 / (1 + exp(-d)),   loss = log(1 + exp(d))
 */
export const infoNceCode: string = `
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
      let logit = pairOf(tile, firstAnchor, thread).cosine / uniforms.temperature;
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
      if (!isNaN(loss) && loss != 0) { // with a single pair there are no negatives: the sum, the loss and the lack are 0
        let difference = (maxima[thread] - positive) + log(sums[thread]);
        loss = softplus(difference);
        lack = exp(min(difference, 0)) / (1 + exp(-abs(difference)));
      }
      logSums[anchor] = positive + loss;
      logSums[uniforms.rows + anchor] = lack;
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
 * the part along u_i only where |z_i| is above the smallest norm.
 */
export const infoNceGradientCode: string = `
  ${tiles}
  const LANE_ELEMENTS = ${GRADIENT_ELEMENTS}u / CANDIDATES;
  var<workgroup> weights: array<f32, THREADS>;
  var<workgroup> radials: array<f32, THREADS>;

  @compute @workgroup_size(THREADS)
  fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let firstAnchor = group.x * ANCHORS;
    let place = thread / CANDIDATES;
    let lane = thread % CANDIDATES;
    let anchor = firstAnchor + place;
    let firstElement = group.y * LANE_ELEMENTS * CANDIDATES + lane;
    var gradients: array<f32, LANE_ELEMENTS>;
    var radial = 0f;
    var norm = 0f;
    for (var tile = 1u; tile < uniforms.tiles; tile++) {
      let pair = pairOf(tile, firstAnchor, thread);
      let candidate = (tile - 1) * CANDIDATES + lane;
      norm = pair.anchorNorm;
      var weight = 0f;
      if (anchor < uniforms.rows && candidate < uniforms.rows && candidate != anchor) {
        let logit = pair.cosine / uniforms.temperature;
        if (candidate == partner(anchor)) {
          weight = -(logSums[uniforms.rows + anchor] + logSums[uniforms.rows + candidate]);
        } else {
          weight = exp(logit - logSums[anchor]) + exp(logit - logSums[candidate]);
        }
        radial += weight * pair.cosine;
        weight /= max(pair.candidateNorm, 1e-12);
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
    let divisor = max(norm, 1e-12);
    let along = select(0, radials[place * CANDIDATES] / divisor, norm > 1e-12);
    let scale = dy[0] / (f32(uniforms.rows) * uniforms.temperature * divisor);
    for (var e = 0u; e < LANE_ELEMENTS; e++) {
      let index = firstElement + e * CANDIDATES;
      if (index < uniforms.elements) {
        gradient[anchor * uniforms.elements + index] = scale * (gradients[e] - along * element(anchor, index));
      }
    }
  }`;
