import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { decodeSafetensors, encodeSafetensors } from '../../../packages/safetensors/dist/index.js';

// Node 20 does not run TypeScript.
const source = readFileSync(new URL('../../../packages/safetensors/test-support/mutate.ts', import.meta.url), 'utf8');
const { code } = transformSync(source, { loader: 'ts' });
const { mutatedSafetensors } = await import(`data:text/javascript,${encodeURIComponent(code)}`);

const whole = encodeSafetensors(
  {
    'layer.weight': { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) },
    step: { dtype: 'I64', shape: [], data: new BigInt64Array(1) },
    mask: { dtype: 'BOOL', shape: [3], data: new Uint8Array(3) },
    none: { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
  },
  { format: 'pt', note: 'ä' },
);

export const damaged = (count, seed) => mutatedSafetensors(whole, count, seed);

/** Names and shapes of what was read. @param {Uint8Array} bytes */
export async function read(bytes) {
  return shapesOf(decodeSafetensors(bytes).tensors);
}

/** @param {Record<string, { shape: readonly number[] }>} tensors */
export function shapesOf(tensors) {
  const hash = createHash('sha256');
  const names = Object.keys(tensors).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const name of names) hash.update(`${name}\n${tensors[name].shape.join(' ')}\n`);
  return hash.digest('hex');
}

/** @param {Error} error */
export function isOurs(error) {
  return error instanceof RangeError && /^decodeSafetensors: .{10,600}\.$/s.test(error.message);
}

export const python = `
import safetensors
def read(data):
    digest = hashlib.sha256()
    for name, tensor in sorted(safetensors.deserialize(data), key=lambda pair: pair[0].encode()):
        digest.update((name + chr(10) + ' '.join(map(str, tensor['shape'])) + chr(10)).encode())
    return digest.hexdigest()
`;
