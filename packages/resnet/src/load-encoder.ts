import { argumentError, showValue } from '@tfjs-ssl/checks';
import { loadWeights, readWeights, type TypedModel, type WeightsSource } from '@tfjs-ssl/layers';
import { type ArchitectureName, architectures } from './architecture-table.ts';
import { describeFile } from './describe-file.ts';
import { buildResNet, type ResNetOptions } from './resnet.ts';

/** Choices for {@link loadEncoder}. */
export interface LoadEncoderOptions extends Pick<ResNetOptions, 'inputShape' | 'stem' | 'width' | 'name'> {
  /** The architecture that the file must hold; `stem` and `width` must match too if given. Default: any. */
  readonly architecture?: ArchitectureName;
  /** Beginning of the encoder's names, for example `'module.encoder_q.'`, if the file holds several encoders. Default: the only one. */
  readonly prefix?: string;
}

/**
 * Builds the encoder whose weights a file holds, and loads them.
 *
 * Architecture, stem and width are read from names and shapes, so files of this library and of torchvision need no options. The names may have
 * a prefix (`module.`, `backbone.`) or be those of an `nn.Sequential` of torchvision's ResNet without its classifier (`0.weight`,
 * `4.0.conv1.weight`). A classifier (`fc.`) and everything else in the file is left out.
 *
 * @param source - path of a file (Node), the bytes of a file (anywhere), or a result of `readWeights`.
 * @param options - size of the images, and what the file must hold.
 * @returns a model from images [N, H, W, C] to features [N, D], which owns its variables: dispose the model.
 * @throws RangeError if the file holds no ResNet, several, or another one than the options name; if it is damaged or of another kind.
 * @throws Error if the file cannot be read.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { encodeWeights, loadEncoder, resnet18 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * const bytes = await encodeWeights(resnet18({ width: 16, stem: 'small' })); // or a path: 'model.safetensors'
 * const encoder = await loadEncoder(bytes);
 * console.log(encoder.predict(tf.zeros([1, 32, 32, 3])).shape); // [1, 128]
 * ```
 */
export async function loadEncoder(source: WeightsSource, options: LoadEncoderOptions = {}): Promise<TypedModel> {
  const { inputShape, name, prefix, ...demands } = options;
  const file = await readWeights(source, { caller: 'loadEncoder' });
  const { names, channels, ...found } = describeFile(file, prefix);
  for (const [what, demanded] of Object.entries(demands)) {
    const fits = found[what as keyof typeof demands];
    if (demanded !== undefined && demanded !== fits) {
      throw argumentError({
        fn: 'loadEncoder',
        argument: what,
        required: `be that of the file, ${showValue(fits)}`,
        got: demanded,
        advice: 'Leave the option out, or take another file.',
      });
    }
  }
  const { architecture, stem, width } = found;
  const encoder = buildResNet(architecture, architectures[architecture], {
    inputShape: inputShape ?? [null, null, channels],
    stem,
    width,
    ...(name !== undefined && { name }),
  });
  try {
    await loadWeights(encoder, file, { names });
  } catch (error) {
    encoder.dispose();
    throw error;
  }
  return encoder;
}
