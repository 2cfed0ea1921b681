import { efficientnetB0, loadEfficientNet } from '@tfjs-ssl/efficientnet';
import { loadEncoder, readWeights, resnet18, resnet34, resnet50, type TypedModel } from '@tfjs-ssl/resnet';

/** What every encoder takes. */
export interface EncoderOptions {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly stem: 'imagenet' | 'small';
  /** 64 is the standard width. */
  readonly width: number;
  readonly seed: number;
}

/** The `width` that makes an EfficientNet of factor 1. */
const standardWidth = 64;

/** The encoders by name: to add one, add its line. */
export const encoders = {
  resnet18,
  resnet34,
  resnet50,
  'efficientnet-b0': ({ width, ...options }) => efficientnetB0({ ...options, width: width / standardWidth }),
} as const satisfies Record<string, (options: EncoderOptions) => TypedModel>;

/**
 * Builds the encoder whose weights a file holds, of either family.
 *
 * @throws RangeError if there is none; Error if the file cannot be read.
 */
export async function encoderOfFile(
  path: string,
  options: { readonly inputShape?: EncoderOptions['inputShape'] } = {},
): Promise<TypedModel> {
  const file = await readWeights(path);
  const isEfficientNet = Object.keys(file.tensors).some((name) => /(^|\.)features\.1\.0\.block\./.test(name));
  return isEfficientNet ? loadEfficientNet(file, options) : loadEncoder(file, options);
}

/** The settings that build an encoder like a given one, as far as they are among these. */
export function settingsOfEncoder(encoder: TypedModel): Record<string, unknown> {
  const { architecture, stem, width } = encoder.getUserDefinedMetadata() as Record<string, unknown>;
  const name = String(architecture).replace('_', '-');
  return { name, stem, width: name.startsWith('efficientnet') ? Number(width) * standardWidth : width };
}
