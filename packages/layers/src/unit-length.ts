import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { argumentError } from '@tfjs-ssl/checks';
import { unitRows } from '@tfjs-ssl/ops';
import { type LayerArgs, type TensorLayer, TorchLayer } from './torch-layer.ts';
import { describe } from './windows.ts';

/** Choices for {@link unitLength}. */
export interface UnitLengthOptions {
  /** Name of the layer. */
  readonly name?: string;
}

class UnitLength extends TorchLayer {
  static readonly className: string = 'TorchUnitLength';

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    if (inputShape.length !== 2) {
      throw argumentError({
        fn: 'unitLength',
        argument: 'input',
        required: 'have shape [N, features]',
        got: inputShape,
        shown: `[${describe(inputShape)}]`,
        advice: 'Flatten or pool the input first.',
      });
    }
    return inputShape as Shape;
  }

  protected override compute([x]: [tf.Tensor2D]): tf.Tensor {
    return unitRows(x);
  }
}
tf.serialization.registerClass(UnitLength);

/**
 * Rows over their Euclidean norms, norms below 1e-12 taken for it.
 *
 * @param options - the name.
 * @returns a layer from [N, features] to the same shape, without variables.
 * @throws RangeError if the input does not have two axes.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { unitLength } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * console.log(await unitLength().apply(tf.tensor2d([[3, 4]])).data()); // 0.6, 0.8
 * ```
 *
 * @see `torch.nn.functional.normalize`.
 */
export function unitLength(options: UnitLengthOptions = {}): TensorLayer {
  return new UnitLength(options as LayerArgs) as TensorLayer;
}
