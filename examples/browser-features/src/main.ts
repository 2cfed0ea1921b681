import * as tf from '@tensorflow/tfjs-core';
import { registerEngine, startEngine } from '@tfjs-ssl/engine';
import { simdEngine } from '@tfjs-ssl/engine-simd';
import { webgpuEngine } from '@tfjs-ssl/engine-webgpu';
import { cosines, directions, featuresOf, loadEncoder, toImageData, toTensor, viewsOf } from './features.ts';
import { drawPictures, size } from './pictures.ts';

const views = 8;
const neighbours = 5;

const element = <Kind extends HTMLElement>(id: string): Kind => document.getElementById(id) as Kind;

const pictures = drawPictures();
let images: tf.Tensor4D;
/** Mean of the features of all pictures, and the direction of each from there. */
let centre: tf.Tensor2D;
let features: tf.Tensor2D;
let chosen = 0;
let seed = 0;

/** A picture with what is said of it. */
function figure(pixels: ImageData, caption: string): HTMLElement {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [size, size];
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', caption);
  const made = document.createElement('figure');
  const text = document.createElement('figcaption');
  text.textContent = caption;
  made.append(canvas, text);
  return made;
}

function showPictures(): void {
  const buttons = pictures.map(({ name, pixels }, i) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'picture';
    button.setAttribute('aria-pressed', String(i === chosen));
    button.append(figure(pixels, name));
    button.onclick = () => work(() => choose(i));
    return button;
  });
  element('pictures').replaceChildren(...buttons);
}

async function choose(picture: number): Promise<void> {
  chosen = picture;
  showPictures();
  const own = tf.slice(features, [chosen, 0], [1, -1]);
  await showViews(own);
  const similarity = await cosines(features, own);
  own.dispose();
  const nearest = pictures
    .map((other, i) => ({ ...other, cosine: similarity[i] as number }))
    .filter((_, i) => i !== chosen)
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, neighbours);
  element('nearest').replaceChildren(
    ...nearest.map(({ name, pixels, cosine }) => figure(pixels, `${name} ${cosine.toFixed(3)}`)),
  );
}

async function showViews(own: tf.Tensor2D): Promise<void> {
  const picture = tf.slice(images, [chosen, 0, 0, 0], [1, -1, -1, -1]);
  const made = viewsOf(picture, views, seed);
  const viewFeatures = tf.tidy(() => directions(featuresOf(made), centre));
  const [values, similarity] = [await made.data<'float32'>(), await cosines(viewFeatures, own)];
  tf.dispose([picture, made, viewFeatures]);
  const length = size * size * 3;
  const figures = Array.from({ length: views }, (_, i) =>
    figure(toImageData(values.subarray(i * length, (i + 1) * length)), (similarity[i] as number).toFixed(3)),
  );
  element('views').replaceChildren(...figures);
}

/** Looks at all pictures with the encoder as it is now. */
function extract(): void {
  const raw = featuresOf(images);
  tf.dispose([centre, features].filter(Boolean));
  centre = tf.mean(raw, 0, true);
  features = directions(raw, centre);
  raw.dispose();
}

/** Does one thing after another, and says how long it took or what went wrong. */
let queue = Promise.resolve();
function work(job: () => Promise<void>): void {
  const status = element('status');
  queue = queue.then(async () => {
    status.dataset.state = 'busy';
    const start = performance.now();
    try {
      await job();
      status.textContent = `Ready; the last answer took ${Math.round(performance.now() - start)} ms.`;
      status.dataset.state = 'ready';
    } catch (error) {
      status.textContent = String(error);
      status.dataset.state = 'failed';
    }
  });
}

element('again').onclick = () =>
  work(async () => {
    seed++;
    await choose(chosen);
  });

element<HTMLInputElement>('weights').onchange = ({ target }) =>
  work(async () => {
    const file = (target as HTMLInputElement).files?.[0];
    if (!file) return;
    const tensors = await loadEncoder(file);
    element('encoder').textContent = `The encoder is ${file.name} (${tensors} tensors).`;
    extract();
    await choose(chosen);
  });

work(async () => {
  const engines = [webgpuEngine, simdEngine]; // a bundle has to name its engines
  for (const engine of engines) registerEngine(engine);
  // ?engine=webgpu asks for that one, on software that plays a GPU if need be
  const asked = new URLSearchParams(location.search).get('engine') ?? 'auto';
  const { name, device, passedOver } = await startEngine(asked, { softwareAdapter: true });
  const reasons = passedOver
    .filter((other) => engines.some((engine) => engine.name === other.name))
    .map((other) => ` (not ${other.name}: ${other.reason})`);
  element('engine').textContent = `${name}: ${device}${reasons.join('')}`;
  element('engine').dataset.engine = name;
  element('encoder').textContent = 'The encoder is an untrained ResNet-18, which sees colour and texture.';
  images = toTensor(pictures.map(({ pixels }) => pixels));
  extract();
  await choose(0);
});
