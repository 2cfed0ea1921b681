import { expect, it } from 'vitest';
import { mutatedSafetensors } from '../test-support/mutate.ts';
import { decodeSafetensors } from './decode.ts';
import { encodeSafetensors } from './encode.ts';

it('takes or refuses a thousand damaged files, with a message of its own', () => {
  const whole = encodeSafetensors(
    {
      'layer.weight': { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) },
      step: { dtype: 'I64', shape: [], data: new BigInt64Array(1) },
      mask: { dtype: 'BOOL', shape: [3], data: new Uint8Array(3) },
      none: { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
    },
    { format: 'pt', note: 'ä' },
  );
  let taken = 0;
  for (const bytes of mutatedSafetensors(whole, 1000, 1)) {
    try {
      const { tensors } = decodeSafetensors(bytes);
      for (const { data } of Object.values(tensors)) expect(data.byteLength).toBeLessThanOrEqual(2 * bytes.length);
      taken++;
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      expect((error as Error).message).toMatch(/^decodeSafetensors: .{10,600}\.$/s);
    }
  }
  expect(taken).toBeGreaterThan(50);
  expect(taken).toBeLessThan(900);
});
