import * as ssl from '@tfjs-ssl/all';
import type { Options } from './options.ts';

/** Images to train on and images to classify. */
export interface Data {
  readonly name: string;
  readonly train: ssl.ImageDataset;
  readonly val: ssl.ImageDataset;
}

/** Opens the images of a call: Tiny ImageNet, a folder, or generated ones. */
export async function openData({ data: path, classes, imagesPerClass, size }: Options): Promise<Data> {
  if (path === null) {
    const of = (split: 'train' | 'val', count: number) =>
      ssl.generatedImages({ classes, imagesPerClass: count, size, split });
    return { name: 'generated', train: of('train', imagesPerClass), val: of('val', 50) };
  }
  if (await ssl.isTinyImagenet(path)) {
    const train = await ssl.tinyImagenet({ path, split: 'train', classes, imagesPerClass });
    return { name: 'Tiny ImageNet', train, val: await ssl.tinyImagenet({ path, split: 'val', classes }) };
  }
  const folder = { path, size, classes, holdOut: 0.1 };
  const train = await ssl.imageFolder({ ...folder, split: 'train', imagesPerClass });
  return { name: path, train, val: await ssl.imageFolder({ ...folder, split: 'val' }) };
}
