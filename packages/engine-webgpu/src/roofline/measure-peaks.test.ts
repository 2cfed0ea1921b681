import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { gpu } from '../../test-support/reference.ts';
import { measurePeaks } from './measure-peaks.ts';

describeEngines('the peaks of the device', () => {
  it('are measured, those of matrix units where there are any', async () => {
    const { multiplyAdd, matrix, bandwidth } = await measurePeaks(gpu(), { seconds: 0.001 });
    expect(multiplyAdd).toBeGreaterThan(1e6);
    expect(bandwidth).toBeGreaterThan(1e6);
    expect(multiplyAdd + bandwidth).toBeLessThan(1e16);
    expect(matrix !== null).toBe(gpu().matrixUnit !== null);
    if (matrix !== null) expect(matrix).toBeGreaterThan(1e5);
  });
});
