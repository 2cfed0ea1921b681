import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointStore, RunFolder } from '../../../packages/trainer/dist/index.js';
import { encodeManifest, sha256 } from '../../../packages/trainer/dist/run/checkpoint-manifest.js';
import { mutate } from '../mutate.mjs';
import { mutateJson } from '../mutate-json.mjs';
import { randomNumbers } from '../random.mjs';
import { shapesOf } from './safetensors.mjs';

const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const config = { seed: 1, head: { sizes: [8, 4] } };
const run = await RunFolder.create(join(folder, 'run'), config);
const weight = { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) };
const about = { cursor: { epoch: 0, step: 0 }, seed: 1, config };
const tensorsFile = await new CheckpointStore(join(run.path, 'checkpoints')).save(
  { step: 0, tensors: { 'model.weight': weight, 'optimizer.step': weight } },
  about,
);
const jsonFile = tensorsFile.replace(/safetensors$/, 'json');
const tensors = readFileSync(tensorsFile);
const json = readFileSync(jsonFile);
const body = JSON.parse(json);

/** A third each: damaged tensors, damaged JSON, and JSON of other values with a checksum that is right; both files, the JSON first. */
export function* damaged(count, seed) {
  const random = randomNumbers(seed);
  for (let i = 0; i < count; i++) {
    const kind = random(4);
    if (kind === 0) yield pack(mutate([json], random), tensors);
    else if (kind === 1) yield pack(json, mutate([tensors], random));
    else if (kind === 2) yield pack(sealed(body, mutate([tensors], random)), null);
    else yield pack(sealed(mutateJson(body, random), null), tensors);
  }
}

/** JSON with the right checksum; of other tensors too. */
function sealed(values, otherTensors) {
  const { checksum, ...rest } = structuredClone(values ?? {});
  if (otherTensors) {
    Object.assign(rest.tensors, { bytes: otherTensors.length, sha256: sha256(otherTensors) });
    return [Buffer.from(encodeManifest(rest)), otherTensors];
  }
  return Buffer.from(encodeManifest(rest));
}

function pack(first, second) {
  const [head, tail] = Array.isArray(first) ? first : [first, second];
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return Buffer.concat([length, head, tail]);
}

/** What a run is put back to. @param {Buffer} bytes */
export async function read(bytes) {
  const end = 4 + bytes.readUInt32LE(0);
  writeFileSync(jsonFile, bytes.subarray(4, end));
  writeFileSync(tensorsFile, bytes.subarray(end));
  const resumed = await RunFolder.resume(run.path, config);
  let shapes = '';
  const restored = await resumed.restore({
    restore(state) {
      shapes = shapesOf(state.tensors);
    },
  });
  await resumed.begin({ stepsDone: restored.step, cursor: about.cursor });
  await resumed.end();
  return shapes;
}

/** @param {Error} error */
export function isOurs(error) {
  if (/^RunFolder: step 0 must be step \d+ of epoch \d+, as it was before, /.test(error.message)) return true;
  const [first, reason, ...more] = error.message.split('\n');
  return (
    first === 'CheckpointStore: none of the checkpoints can be used. Start a new run in another folder.' &&
    /^ {2}\S+: (its |it has |it belongs |decodeSafetensors: )/.test(reason) &&
    (more.length === 0 || / configuration: /.test(reason))
  );
}
