import type { MomentumUpdateOptions } from '@tfjs-ssl/ops';
import { floatLiteral } from '../dispatch.ts';
import { groupsCode, scaleCode } from './parameter-groups.ts';

/** What the code of a group of parameters depends on. */
export interface MomentumVariant extends Pick<MomentumUpdateOptions, 'momentum' | 'nesterov' | 'flavour'> {
  /** Parameters in the group. */
  readonly count: number;
  /** Whether any parameter has a trust ratio. */
  readonly trusted: boolean;
  /** Whether gradients are scaled, and the update perhaps left out. */
  readonly scaled: boolean;
}

/** WGSL of the update's parts. `trust` is the trust ratio, 1 where there is none. */
const parts = ({ momentum, nesterov, flavour, scaled }: MomentumVariant): string => {
  const learningRate = 'numbers[0].x';
  const incoming = { simclr: `${learningRate} * trust * g`, torch: 'trust * g', popular: 'g' }[flavour];
  return `
  ${scaleCode(scaled)}

  fn decayed(p: f32, gradient: f32, weightDecay: f32) -> f32 { return scaledGradient(gradient) + weightDecay * p; }

  // What is added to the velocity, before the trust ratio of its direction.
  fn incoming(g: f32, trust: f32) -> f32 { return ${incoming}; }

  fn moved(velocity: f32, incoming: f32) -> f32 { return ${momentum === 0 ? 'incoming' : `${floatLiteral(momentum)} * velocity + incoming`}; }

  // What the parameter moves along.
  fn direction(moved: f32, incoming: f32) -> f32 { return ${nesterov && momentum !== 0 ? `${floatLiteral(momentum)} * moved + incoming` : 'moved'}; }

  fn step(direction: f32, trust: f32) -> f32 {
    return ${{ simclr: 'direction', torch: `${learningRate} * direction`, popular: `${learningRate} * trust * direction` }[flavour]};
  }`;
};

const velocityOf = (slot: number, momentum: number): string => (momentum === 0 ? '0' : `velocity${slot}[i]`);

/** First dispatch where there are trust ratios: in every block of a parameter, the squares of it and of what the ratio divides by. */
export function normsCode(variant: MomentumVariant, threads: number, perThread: number): string {
  const { flavour, momentum } = variant;
  const measured = (slot: number) =>
    flavour === 'popular'
      ? `let arriving = incoming(g, 1);
        let d = direction(moved(${velocityOf(slot, momentum)}, arriving), arriving);`
      : 'let d = g;';
  return `
  ${parts(variant)}
  var<workgroup> sums: array<vec2f, ${threads}>;
  ${groupsCode({
    count: variant.count,
    threads,
    perThread,
    before: 'var sum = vec2f();',
    element: (slot) => `
        let p = parameter${slot}[i];
        let g = decayed(p, gradient${slot}[i], uniforms.weightDecay${slot});
        ${measured(slot)}
        sum += vec2f(p * p, d * d);`,
    after: `
    sums[thread] = sum;
    for (var half = ${threads / 2}u; half > 0; half /= 2) {
      workgroupBarrier();
      if (thread < half) { sums[thread] += sums[thread + half]; }
    }
    if (thread == 0) { partials[number] = sums[0]; }`,
  })}`;
}

/** The update itself. Every workgroup adds the partial squares of its parameter. */
export function updateCode(variant: MomentumVariant, threads: number, perThread: number): string {
  const { momentum, trusted } = variant;
  const ratio = (slot: number) =>
    trusted
      ? `
      {
        var sum = vec2f();
        for (var k = thread; k < blocks${slot}; k += ${threads}) { sum += partials[first${slot} + k]; }
        let norms = sqrt(total(sum, thread));
        if (uniforms.trustCoefficient${slot} != 0 && min(norms.x, norms.y) > 0) {
          trust = uniforms.trustCoefficient${slot} * norms.x / norms.y;
        }
      }`
      : '';
  return `
  ${parts(variant)}
  ${
    trusted
      ? `
  var<workgroup> sums: array<vec2f, ${threads}>;

  fn total(own: vec2f, thread: u32) -> vec2f {
    sums[thread] = own;
    for (var half = ${threads / 2}u; half > 0; half /= 2) {
      workgroupBarrier();
      if (thread < half) { sums[thread] += sums[thread + half]; }
    }
    workgroupBarrier();
    return sums[0];
  }`
      : ''
  }
  ${groupsCode({
    count: variant.count,
    threads,
    perThread,
    before: 'var trust = 1f;',
    perSlot: ratio,
    element: (slot) => `
        let p = parameter${slot}[i];
        let g = decayed(p, gradient${slot}[i], uniforms.weightDecay${slot});
        let arriving = incoming(g, trust);
        let velocity = moved(${velocityOf(slot, momentum)}, arriving);
        if (applies()) {
          ${momentum === 0 ? '' : `velocity${slot}[i] = velocity;`}
          parameter${slot}[i] = p - step(direction(velocity, arriving), trust);
        }`,
  })}`;
}
