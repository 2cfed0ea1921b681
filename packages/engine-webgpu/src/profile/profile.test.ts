import * as tf from '@tensorflow/tfjs-core';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { webgpuEngine } from '../engine.ts';
import { groupsOf, phasesOf } from './kernel-groups.ts';
import { phaseMilliseconds, profileRows, profileTable } from './profile-table.ts';

const peaks = { multiplyAdd: 1e9, matrix: null, bandwidth: 1e9 };

describeEngines('the profile of a step', () => {
  const inputs = { x: { shape: [2, 8, 8, 4], dtype: 'float32' } } as const;

  it('has the time, the operations and the bytes of every dispatch', async () => {
    const filter = tf.variable(tf.randomNormal([3, 3, 4, 8], 0, 1, 'float32', 1));
    const step = webgpuEngine.capture(({ x }) => {
      const { value, grads } = tf.variableGrads(() => tf.sum(tf.conv2d(x as tf.Tensor4D, filter as never, 1, 1)));
      filter.assign(tf.sub(filter, grads[filter.name] as tf.Tensor) as tf.Variable);
      return { value };
    }, inputs);
    const x = tf.ones([2, 8, 8, 4]);
    const profiles = await webgpuEngine.profile(() => {
      for (let i = 0; i < 2; i++) step.replay({ x }).value?.dispose();
    });
    expect(profiles).toHaveLength(2);
    const [first] = profiles;
    expect(first?.length).toBe(step.recorded.size.dispatches);
    for (const { begin, end, dispatches } of first!) {
      expect(end).toBeGreaterThanOrEqual(begin);
      expect(end).toBeLessThan(60);
      expect(dispatches).toHaveLength(1);
    }
    const convolution = first![0]!.dispatches[0]!;
    expect(convolution).toMatchObject({ group: 'convolution forward', flops: 2 * 2 * 64 * 9 * 4 * 8 });
    expect(convolution.bytes).toBe(4 * (2 * 64 * 4 + 9 * 4 * 8 + 2 * 64 * 8));
    const rows = profileRows(profiles, peaks);
    expect(rows.map(({ group }) => group)).toContain('convolution backward-filter');
    expect(rows.at(-1)).toMatchObject({ group: 'all', dispatches: first!.length });
    expect(rows.slice(0, -1).reduce((sum, row) => sum + row.share, 0)).toBeCloseTo(1);
    expect(profileTable(rows, peaks)[1]).toMatch(/^kernels .* of roofline$/);
    step.dispose();
    tf.dispose([x, filter]);
  });

  it('counts what changes in place twice, and tells nothing of what is not replayed', async () => {
    const weight = tf.variable(tf.ones([1024]));
    const moments = [tf.variable(tf.zeros([1024])), tf.variable(tf.zeros([1024]))];
    const attributes = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false, count: 1 };
    const update = ({ gradient, scalars }: Readonly<Record<string, tf.Tensor>>) => {
      const [firstMoment0, secondMoment0] = moments as [tf.Variable, tf.Variable];
      const tensors = { parameter0: weight, gradient0: gradient!, firstMoment0, secondMoment0, scalars: scalars! };
      tf.engine().runKernel('AdamUpdate', tensors as never, attributes);
      return { updated: tf.add(gradient!, 1) };
    };
    const step = webgpuEngine.capture(update, {
      gradient: { shape: [1024], dtype: 'float32' },
      scalars: { shape: [3], dtype: 'float32' },
    });
    const given = { gradient: tf.ones([1024]), scalars: tf.tensor1d([1, 1, 1]) };
    const run = () => step.replay(given).updated?.dispose();
    const [profile] = await webgpuEngine.profile(run, 'phase');
    const adam = profile?.flatMap(({ dispatches }) => dispatches).find(({ group }) => group === 'optimizer');
    expect(adam?.bytes).toBe(4096 * 7 + 32); // three tensors read and written, the gradient read, the numbers
    expect(phaseMilliseconds([profile!])).toMatchObject({ augment: 0, forward: 0, backward: 0 });
    expect(await webgpuEngine.profile(() => update(given).updated.dispose())).toEqual([]);
    run();
    expect(() => profileRows([], peaks)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: profileRows: profiles must hold at least one profile, got none. Replay the step while it is profiled.]`,
    );
    step.dispose();
    tf.dispose([given, weight, moments]);
  });

  it('groups kernels and phases by their names', () => {
    const kernels = [
      'AugmentViews [1]',
      'Conv2D 1',
      'SumParts 8 2',
      'BatchNormApply 4',
      'BinaryOpProgram',
      'NTXent',
      'NTXentGradient',
      'Conv2DBackpropInput 1 +',
      'SumParts 8 2 +',
      'AdamUpdate 3',
      'ConcatProgram',
    ];
    expect(groupsOf(kernels)).toMatchInlineSnapshot(`
      [
        "augmentation",
        "convolution forward",
        "convolution forward",
        "batch norm",
        "other",
        "loss",
        "loss",
        "convolution backward-input",
        "convolution backward-input",
        "optimizer",
        "other",
      ]
    `);
    expect(phasesOf(kernels)).toMatchInlineSnapshot(`
      [
        "augment",
        "forward",
        "forward",
        "forward",
        "forward",
        "forward",
        "backward",
        "backward",
        "backward",
        "update",
        "update",
      ]
    `);
  });
});
