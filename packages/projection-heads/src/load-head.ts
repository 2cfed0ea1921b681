import { loadWeights, readWeights, type TypedModel, type WeightsSource, weightsPrefix } from '@tfjs-ssl/layers';
import { type MlpHeadOptions, mlpHead } from './mlp-head.ts';

/** Choices for {@link loadHead}. */
export interface LoadHeadOptions extends Pick<MlpHeadOptions, 'name'> {
  /** Beginning of the head's names, for example `'head.'`, if the file holds several heads. Default: the only one. */
  readonly prefix?: string;
}

/**
 * Builds the projection head whose weights a file holds, and loads them.
 *
 * Sizes, batch norm and biases are read from names and shapes. The names are those of an `nn.Sequential` of linear layers, batch norms and
 * rectifiers, from this library or from PyTorch. Everything else in the file is left out.
 *
 * @param source - path of a file (Node), the bytes of a file (anywhere), or a result of `readWeights`.
 * @param options - which head of the file, and the model's name.
 * @returns a model from features [N, inputSize] to projections [N, outputSize], which owns its variables: dispose the model.
 * @throws RangeError if the file holds no such head, or several; if it is damaged or of another kind.
 * @throws Error if the file cannot be read.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { encodeWeights, loadHead, simclrHead } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * const head = await loadHead(await encodeWeights(simclrHead({ inputSize: 64 }))); // or a path: 'head.safetensors'
 * console.log(head.outputs[0]?.shape); // [null, 128]
 * ```
 */
export async function loadHead(source: WeightsSource, options: LoadHeadOptions = {}): Promise<TypedModel> {
  const file = await readWeights(source, { caller: 'loadHead' });
  const names = Object.keys(file.tensors);
  const isMatrix = (name: string): boolean => file.tensors[name]?.shape.length === 2;
  const { prefix } = weightsPrefix(
    names.filter((name) => isMatrix(name) || !name.endsWith('0.weight')), // that of an encoder may be a convolution's
    ['0.weight'],
    { caller: 'loadHead', what: "a projection head's weights", prefix: options.prefix },
  );
  const at = (name: string): readonly number[] | undefined => file.tensors[prefix + name]?.shape;
  const places = names
    .filter((name) => name.startsWith(prefix) && isMatrix(name))
    .map((name) => /^(\d+)\.weight$/.exec(name.slice(prefix.length))?.[1])
    .filter((place) => place !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
  const sizes = places.map((place) => at(`${place}.weight`)?.[0] as number);
  const normalised = places.map((place) => at(`${place + 1}.running_mean`) !== undefined);
  const head = mlpHead({
    inputSize: at('0.weight')?.[1] as number,
    hiddenSizes: sizes.slice(0, -1),
    outputSize: sizes.at(-1) as number,
    batchNorm: normalised.at(-1) ? 'all' : normalised[0] ? 'hidden' : 'none',
    useBias: places.some((place, i) => !normalised[i] && at(`${place}.bias`) !== undefined),
    ...(options.name !== undefined && { name: options.name }),
  });
  try {
    await loadWeights(head, file, { prefix, names: (name) => (/^\d+\./.test(name) ? name : null) });
  } catch (error) {
    head.dispose();
    throw error;
  }
  return head;
}
