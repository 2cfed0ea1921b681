import { argumentError, showValue } from '@tfjs-ssl/checks';
import { type WeightsFile, weightsPrefix } from '@tfjs-ssl/layers';
import { type ArchitectureName, architectures } from './architecture-table.ts';

/** What a file holds, and how its names become an encoder's. */
export interface EncoderInFile {
  readonly architecture: ArchitectureName;
  readonly stem: 'imagenet' | 'small';
  readonly width: number;
  /** Channels of the images. */
  readonly channels: number;
  /** Beginnings of the file's names with the model's; the classifier is left out. */
  readonly names: Readonly<Record<string, string>>;
}

const children = ['conv1', 'bn1', 'layer1', 'layer2', 'layer3', 'layer4'];
/** The children that an `nn.Sequential` of torchvision's ResNet has numbers for; 2 is the rectifier, 3 the pool. */
const numbers = ['0', '1', '4', '5', '6', '7'];

/**
 * Recognises an encoder by names and shapes: the architecture by its blocks, the stem by the kernel of the first convolution, the width by its outputs.
 *
 * @throws RangeError if the file holds no ResNet, or several.
 */
export function describeFile({ tensors, metadata }: WeightsFile, prefix?: string): EncoderInFile {
  const caller = 'loadEncoder';
  const names = Object.keys(tensors);
  const said = metadata.architecture === undefined ? '' : ` (not the ${metadata.architecture} that its metadata name)`;
  const place = weightsPrefix(names, ['layer4.0.conv1.weight', '7.0.conv1.weight'], {
    caller,
    what: `a ResNet's weights${said}`,
    prefix,
  });
  const inFile = (place.ending.startsWith('layer') ? children : numbers).map((child) => `${place.prefix}${child}.`);
  const [conv1, , ...stages] = inFile as [string, string, ...string[]];

  const counts = stages.map((stage) => {
    const blocks = names.filter((name) => name.startsWith(stage)).map((name) => name.slice(stage.length).split('.')[0]);
    return new Set(blocks).size;
  });
  const block = `${stages[0]}0.conv3.weight` in tensors ? 'bottleneck' : 'basic';
  const found = (Object.keys(architectures) as ArchitectureName[]).find(
    (name) => architectures[name].block === block && architectures[name].stages.join() === counts.join(),
  );
  if (!found) {
    throw argumentError({
      fn: caller,
      argument: 'source',
      required: `hold ${Object.keys(architectures).join(', ')}`,
      got: counts,
      shown: `stages of ${counts.join(', ')} ${block} blocks`,
      advice: 'Build that network by hand.',
    });
  }
  const shape = tensors[`${conv1}weight`]?.shape ?? [];
  const stem = shape[2] === 7 ? 'imagenet' : shape[2] === 3 ? 'small' : null;
  if (shape.length !== 4 || !stem) {
    throw argumentError({
      fn: caller,
      argument: 'source',
      required: 'hold a first convolution with kernels of 7 x 7 or 3 x 3',
      got: shape,
      shown: `${conv1}weight of shape ${showValue(shape)}`,
      advice: 'Build that network by hand.',
    });
  }
  return {
    architecture: found,
    stem,
    width: shape[0] as number,
    channels: shape[1] as number,
    names: Object.fromEntries(inFile.map((child, i) => [child, `${children[i]}.`])),
  };
}
