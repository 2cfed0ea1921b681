import { expect, it } from 'vitest';
import { type CheckpointManifest, decodeManifest, encodeManifest } from './checkpoint-manifest.ts';

const manifest: CheckpointManifest = {
  step: 3,
  cursor: { epoch: 0, step: 3 },
  seed: 1,
  config: {},
  tensors: { file: 'step-00000003.safetensors', bytes: 9, sha256: 'ab' },
};

it('reads what it wrote', () => {
  expect(decodeManifest(encodeManifest(manifest))).toMatchObject(manifest);
});

it.each([
  [{ step: -1 }, 'its JSON has no valid step, got -1'],
  [{ cursor: undefined }, 'its JSON has no valid cursor, got none'],
  [{ cursor: { epoch: {}, step: 3 } }, 'its JSON has no valid cursor.epoch, got {}'],
  [{ cursor: { epoch: 0 } }, 'its JSON has no valid cursor.step, got none'],
  [{ seed: null }, 'its JSON has no valid seed, got null'],
  [{ config: [] }, 'its JSON has no valid config, got []'],
  [{ tensors: null }, 'its JSON has no valid tensors, got null'],
  [{ tensors: { ...manifest.tensors, sha256: 5 } }, 'its JSON has no valid tensors.sha256, got 5'],
])('refuses %j though its checksum is right', (change, message) => {
  const text = encodeManifest({ ...manifest, ...change } as unknown as CheckpointManifest);
  expect(() => decodeManifest(text)).toThrow(message);
});

it('quotes damaged JSON on one line', () => {
  const text = encodeManifest(manifest).replace('"step"', '\n\u0000step');
  expect(() => decodeManifest(text)).toThrow(/^its JSON is damaged: [^\n\0]{10,200}$/);
});
