// What the code blocks of READMEs and site find in their folder.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { strToU8, zipSync } from 'fflate';

/** Images in two classes and a small Tiny ImageNet (`data`), an image, weights as torchvision has them, and two images with features. */
export const fixtures = ['data', 'cat.jpg', 'resnet18.safetensors', 'check.safetensors'];

/** A picture of a class; decoders go by the bytes, not by the name of a file. */
function picture(width, height, label, i) {
  const data = Uint8Array.from(
    { length: width * height * 3 },
    (_, at) => (at * (label + 2) + 31 * i + ((at >> 5) % 7) * 20) % 256,
  );
  return encode({ width, height, data, channels: 3, depth: 8 });
}

function writeFlowers(folder) {
  for (const [label, name] of ['daisy', 'rose'].entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < 24; i++) writeFileSync(join(folder, name, `${i}.png`), picture(40, 36, label, i));
  }
}

/** The layout of the official archive, with ten classes of a hundred images to train. */
function writeTinyImagenet(path) {
  const classes = Array.from({ length: 10 }, (_, label) => `n0000000${label}`);
  const files = { 'wnids.txt': strToU8(`${classes.join('\n')}\n`) };
  for (const [label, name] of classes.entries()) {
    for (let i = 0; i < 100; i++) files[`train/${name}/images/${name}_${i}.JPEG`] = picture(64, 64, label, i);
  }
  writeFileSync(path, zipSync({ 'tiny-imagenet-200': files }, { level: 0 }));
}

/** With the packages of the project itself. */
function writeWeights(project) {
  const script = `
    import { writeFileSync } from 'node:fs';
    import { startEngine } from '@tfjs-ssl/engine';
    import { encodeWeights, resnet18 } from '@tfjs-ssl/resnet';
    import { decodeSafetensors, encodeSafetensors } from '@tfjs-ssl/safetensors';
    await startEngine('auto');
    const { tensors } = decodeSafetensors(await encodeWeights(resnet18({ inputShape: [64, 64, 3] })));
    const floats = (shape) => ({ dtype: 'F32', shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });
    const classifier = { 'fc.weight': floats([1000, 512]), 'fc.bias': floats([1000]) };
    writeFileSync('resnet18.safetensors', encodeSafetensors({ ...tensors, ...classifier }));
    const check = { images: floats([2, 64, 64, 3]), features: floats([2, 512]) };
    writeFileSync('check.safetensors', encodeSafetensors(check));`;
  const args = ['--input-type=module', '--eval', script];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the weights for the code blocks cannot be made:\n${stderr}`);
}

/** Makes all of it in a project that has the packages. */
export function makeFixtures(project) {
  writeFlowers(join(project, 'data/flowers'));
  writeTinyImagenet(join(project, 'data/tiny-imagenet-200.zip'));
  copyFileSync(join(project, 'data/flowers/daisy/0.png'), join(project, 'cat.jpg'));
  writeWeights(project);
}
