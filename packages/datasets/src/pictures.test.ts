import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../workers/image-decoder.js';

/** Files of many kinds and what Pillow makes of them, by test-support/make-pictures.py; no size where it refuses. */
const pictures: Record<string, { base64: string; width?: number; height?: number; sha256?: string }> = JSON.parse(
  readFileSync(new URL('../test-support/pictures.json', import.meta.url), 'utf8'),
);

const rest = /bytes lie where a table or its frame should end/;

/** What Pillow reads and this does not: damage of which it makes gray or other colours, and checksums that it does not look at. */
const stricter: Record<string, RegExp> = {
  'jpeg/rgb-444-no-end': /end marker is missing/,
  'jpeg/rgb-444-cut-with-end': /premature end of data segment/,
  'jpeg/rgb-444-version-cut-with-end': /end too early/,
  'jpeg/rgb-444-stray-between-segments-cut-with-end': /end too early/,
  'jpeg/rgb-444-scan-parameters-cut-with-end': /end too early/,
  'jpeg/cmyk-444-no-end': /end marker is missing/,
  'jpeg/cmyk-444-cut-with-end': /end too early/,
  'jpeg/cmyk-444-version-cut-with-end': /end too early/,
  'jpeg/cmyk-444-stray-between-segments-cut-with-end': /end too early/,
  ...Object.fromEntries(
    ['rgb', 'cmyk'].flatMap((mode) =>
      ['444', 'restarts', 'progressive'].flatMap((kind) =>
        ['frame', 'huffman'].map((part) => [`jpeg/${mode}-${kind}-stray-before-${part}`, rest]),
      ),
    ),
  ),
  'jpeg/rgb-not-transformed-stray': rest,
  'jpeg/ycck-444-adobe-lost': /it does not say what its colours are/,
  'jpeg/cmyk-444-bytes-lost-stray-before-end': /end too early/,
  'jpeg/rgb-444-bytes-doubled': /do not end where its picture does/,
  'jpeg/gray-444-bytes-doubled': /do not end where its picture does/,
  'jpeg/rgb-444-short-picture': /most of its data belong to no pixel/,
  'jpeg/cmyk-444-short-picture': /most of its data belong to no pixel/,
  'jpeg/gray-444-short-picture': /most of its data belong to no pixel/,
  'jpeg/rgb-progressive-last-scans-lost': /scans of it are missing/,
  'jpeg/cmyk-progressive-last-scans-lost': /scans of it are missing/,
  'jpeg/gray-progressive-last-scans-lost': /scans of it are missing/,
  'jpeg/cmyk-444-bright-beyond-measure': /its samples are far from what a picture has/,
  'jpeg/too-short-for-its-size': /its 1865 bytes are too few for 2000 x 2000 pixels/,
  'jpeg/too-short-for-its-size-cmyk': /its 2428 bytes are too few for 2000 x 2000 pixels/,
  'png/data-chunk-checksum': /the checksum of its IDAT chunk is wrong/,
  'png/cut-checksum': /cut short/,
  'png/no-palette': /it has no palette/,
  'png/stream-longer': /more pixels than its header says/,
};

const outcome = (base64: string) =>
  decodeImage(Buffer.from(base64, 'base64')).then(
    ({ width, height, data }) => ({ width, height, sha256: createHash('sha256').update(data).digest('hex') }),
    (error: Error) => error.message,
  );

describe('pictures of all kinds', () => {
  it.each(Object.keys(pictures))('%s', async (name) => {
    const { base64, ...pillow } = pictures[name]!;
    const ours = await outcome(base64);
    if (name in stricter) expect(ours).toMatch(stricter[name]!);
    else if (pillow.sha256) expect(ours).toEqual(pillow);
    else expect(ours).toMatch(/^(is a damaged (JPEG|PNG): |is not a readable JPEG: |has 24000 x 24000 pixels; )/);
  });
});
