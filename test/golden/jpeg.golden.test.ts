import { createHash } from 'node:crypto';
import { decodeImages, findTinyImagenet } from '@tfjs-ssl/datasets';
import { expect } from 'vitest';
import { type ImageTree, openTree } from '../../packages/datasets/src/image-tree.ts';
import { describeGolden, type GoldenCase, type GoldenGroup } from './harness.ts';

// The decoder must give Pillow's bytes. A case either brings its file as a tensor or names one in Tiny ImageNet, where
// copies with losslessly re-coded files are in use too: pixels are compared, not the encoded bytes.
const archive = process.env.TINY_IMAGENET ? await findTinyImagenet() : null;
const tree = archive ? await openTree(archive, 'golden jpeg') : null;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function encodedBytes(golden: GoldenCase, group: GoldenGroup): Uint8Array {
  if (golden.inputs?.file) return group.tensor(golden.inputs.file).data as Uint8Array;
  const files = tree as ImageTree;
  const name = files.names.find((candidate) => candidate === golden.id || candidate.endsWith(`/${golden.id}`));
  if (!name) throw new Error(`${files.path} has no ${golden.id}`);
  return files.readBytes(name);
}

async function compare(golden: GoldenCase, group: GoldenGroup): Promise<void> {
  const { expected } = golden;
  const file = encodedBytes(golden, group);
  const [image] = await decodeImages([file], { workers: 1 });
  expect([image?.height, image?.width, 3]).toEqual(expected.shape);
  const rgb = image?.data as Uint8Array;
  if (expected.tensor) expect(Buffer.compare(rgb, group.tensor(expected.tensor).data as Uint8Array), 'pixels').toBe(0);
  expect(sha256(rgb), 'decoded pixels').toBe(expected.rgb_sha256);
}

await describeGolden(
  'jpeg',
  (golden) => {
    if (golden.op !== 'decode') return undefined;
    if (!golden.inputs?.file && !tree) return { cannotRun: 'TINY_IMAGENET is not set' };
    return { run: (group) => compare(golden, group) };
  },
  { engines: false },
);
