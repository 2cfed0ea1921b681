import { argumentError, showValue } from '@tfjs-ssl/checks';
import {
  loadWeights,
  readWeights,
  type TypedModel,
  type WeightsFile,
  type WeightsSource,
  weightsPrefix,
} from '@tfjs-ssl/layers';
import { type EfficientNetName, efficientNets, planNetwork } from './architecture-table.ts';
import { buildEfficientNet, type EfficientNetOptions } from './efficientnet.ts';

/** Choices for {@link loadEfficientNet}. */
export interface LoadEfficientNetOptions
  extends Pick<EfficientNetOptions, 'inputShape' | 'stem' | 'stochasticDepth' | 'name'> {
  /** The architecture that the file must hold. Default: any. */
  readonly architecture?: EfficientNetName;
  /** Beginning of the encoder's names, for example `'module.backbone.'`, if the file holds several encoders. Default: the only one. */
  readonly prefix?: string;
}

const caller = 'loadEfficientNet';

/**
 * Builds the EfficientNet whose weights a file holds, and loads them.
 *
 * Files of this library say in their metadata what they hold. In files of torchvision, the architecture is read from names and shapes. The names may have a prefix
 * (`module.`, `backbone.`). A classifier (`classifier.`) and everything else in the file is left out.
 *
 * @param source - path of a file (Node), the bytes of a file (anywhere), or a result of `readWeights`.
 * @param options - size of the images, what the file must hold, and the stem: weights do not tell it, so files of other programs get torchvision's, `'imagenet'`,
 * if it is not given.
 * @returns a model from images [N, H, W, C] to features [N, D], which owns its variables: dispose the model.
 * @throws RangeError if the file holds no EfficientNet, several, or another one than the options name; if it is damaged or of another kind.
 * @throws Error if the file cannot be read.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { efficientnetB0, encodeWeights, loadEfficientNet } from '@tfjs-ssl/efficientnet';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const bytes = await encodeWeights(efficientnetB0({ width: 0.25, stem: 'small' })); // or a path: 'model.safetensors'
 * const encoder = await loadEfficientNet(bytes);
 * console.log(encoder.predict(tf.zeros([1, 32, 32, 3])).shape); // [1, 320]
 * ```
 */
export async function loadEfficientNet(
  source: WeightsSource,
  options: LoadEfficientNetOptions = {},
): Promise<TypedModel> {
  const { prefix, architecture, stem, inputShape, ...others } = options;
  const file = await readWeights(source, { caller });
  const names = Object.keys(file.tensors);
  const place = weightsPrefix(names, ['features.1.0.block.0.0.weight'], {
    caller,
    what: "an EfficientNet's weights",
    prefix,
  });
  const found = describe(file, place.prefix);
  for (const [what, demanded] of Object.entries({ architecture, stem: found.stem && stem })) {
    const fits = found[what as 'architecture' | 'stem'];
    if (demanded === undefined || demanded === fits) continue;
    throw argumentError({
      fn: caller,
      argument: what,
      required: `be that of the file, ${showValue(fits)}`,
      got: demanded,
      advice: 'Leave the option out, or take another file.',
    });
  }
  const channels = file.tensors[`${place.prefix}features.0.0.weight`]?.shape[1] ?? 3;
  const encoder = buildEfficientNet(caller, found.architecture, {
    ...others,
    inputShape: inputShape ?? [null, null, channels],
    width: found.width,
    depth: found.depth,
    stem: found.stem ?? stem ?? 'imagenet',
  });
  try {
    await loadWeights(encoder, file, { names: { [`${place.prefix}features.`]: 'features.' } });
  } catch (error) {
    encoder.dispose();
    throw error;
  }
  return encoder;
}

interface EfficientNetInFile {
  readonly architecture: EfficientNetName;
  readonly width: number;
  readonly depth: number;
  /** Undefined if the file does not say. */
  readonly stem: 'imagenet' | 'small' | undefined;
}

/** What a file holds: by its metadata, else the architecture whose stem and blocks it has. */
function describe({ tensors, metadata }: WeightsFile, prefix: string): EfficientNetInFile {
  const named = Object.keys(metadata).find(
    (key) => /(^|\.)architecture$/.test(key) && Object.hasOwn(efficientNets, metadata[key] as string),
  );
  if (named !== undefined) {
    const of = (key: string) => metadata[named.replace(/architecture$/, key)];
    return {
      architecture: metadata[named] as EfficientNetName,
      width: Number(of('width') ?? 1),
      depth: Number(of('depth') ?? 1),
      stem: of('stem') === 'small' ? 'small' : 'imagenet',
    };
  }
  const shapeOf = (name: string) => tensors[`${prefix}${name}`]?.shape;
  const blocksInFile = new Set(
    Object.keys(tensors).flatMap((name) => /^features\.\d+\.\d+(?=\.block\.)/.exec(name.slice(prefix.length)) ?? []),
  );
  const fits = (architecture: EfficientNetName): boolean => {
    const { blocks } = planNetwork(efficientNets[architecture]);
    return (
      blocksInFile.size === blocks.length &&
      blocks.every(({ name, expanded }) => {
        const part = shapeOf(`${name}.block.3.0.weight`) ? 1 : 0; // the first stage has no expansion
        return shapeOf(`${name}.block.${part}.0.weight`)?.[0] === expanded;
      })
    );
  };
  const architecture = (Object.keys(efficientNets) as EfficientNetName[]).find(fits);
  if (architecture) return { architecture, width: 1, depth: 1, stem: undefined };
  throw argumentError({
    fn: caller,
    argument: 'source',
    required: `hold ${Object.keys(efficientNets).join(', ')}, or say in its metadata what it holds`,
    got: shapeOf('features.0.0.weight') ?? [],
    shown: `a stem of shape ${showValue(shapeOf('features.0.0.weight') ?? 'none')} and other blocks`,
    advice: 'Build the network with its width and depth, and use loadWeights.',
  });
}
