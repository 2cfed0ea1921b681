// `node train-method.mjs METHOD FOLDER`: trains an example of examples/methods on few small images, and keeps its run in FOLDER, or goes on with the run there.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as ssl from '@tfjs-ssl/all';

const [method, folder] = process.argv.slice(2);
const { train } = await import(`../../examples/methods/dist/${method}.js`);
await ssl.startEngine('simd');

// The examples keep no run; here each of their trainings does.
const { fit } = ssl.Trainer.prototype;
ssl.Trainer.prototype.fit = async function* (options) {
  const config = { seed: 3, method };
  const run = await ssl.RunFolder[existsSync(join(folder, 'config.json')) ? 'resume' : 'create'](folder, config);
  const { step } = await run.restore(this);
  console.log(`begins after ${step} steps`);
  yield* fit.call(this, { ...options, run, checkpointEvery: 3 });
};

await train({
  images: ssl.generatedImages({ classes: 4, imagesPerClass: 20, size: 32 }),
  ...{ size: 32, batchSize: 8, epochs: 2, seed: 3 },
  onEvent: ({ type, ...event }) => console.log(type, event.step ?? event.stepsDone),
});
