import {
  loadWeights,
  namedWeights,
  readWeights,
  type TypedModel,
  type WeightsSource,
  weightsPrefix,
} from '@tfjs-ssl/layers';
import { dinoHead } from './dino-head.ts';
import { type MlpHeadOptions, mlpHead } from './mlp-head.ts';
import { swavPrototypes } from './swav-heads.ts';

/** Choices for {@link loadHead}. */
export interface LoadHeadOptions extends Pick<MlpHeadOptions, 'name'> {
  /** Beginning of the head's names, for example `'head.'`, if the file holds several heads. Default: the only one. */
  readonly prefix?: string;
}

/**
 * Builds the projection head whose weights a file holds, and loads them.
 *
 * Sizes, batch norm and biases are read from names and shapes. The names are those of an `nn.Sequential` of linear layers, batch norms and
 * rectifiers, from this library or from PyTorch; or of DINO's head, or of SwAV's prototypes. Everything else in the file is left out.
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
  const found = findHead(Object.keys(file.tensors), (name) => file.tensors[name]?.shape ?? [], options.prefix);
  const shape = (name: string): readonly number[] | undefined => file.tensors[found.prefix + name]?.shape;
  const places = Object.keys(file.tensors)
    .filter((name) => name.startsWith(found.prefix))
    .map((name) => name.slice(found.prefix.length));
  const named = options.name === undefined ? {} : { name: options.name };
  const learnLengths = file.metadata[`${found.prefix}learnLengths`] === 'true';
  const head = builders[found.ending]?.(shape, places, { ...named, learnLengths }) as TypedModel;
  try {
    const own = new Set(Object.keys({ ...namedWeights(head).parameters, ...namedWeights(head).buffers }));
    const ofHead = (name: string): boolean => own.has(name) || (found.ending === '0.weight' && /^\d+\./.test(name));
    await loadWeights(head, file, { prefix: found.prefix, names: (name) => (ofHead(name) ? name : null) });
  } catch (error) {
    head.dispose();
    throw error;
  }
  return head;
}

type ShapeOf = (name: string) => readonly number[] | undefined;

/** What shapes do not tell. */
interface Rest {
  readonly name?: string;
  readonly learnLengths: boolean;
}

/** By the weight that only a head of this kind has: how to build one of the file's sizes. */
const builders: Readonly<Record<string, (shape: ShapeOf, names: readonly string[], rest: Rest) => TypedModel>> = {
  '0.weight': mlpOf,
  'last_layer.weight_v': dinoOf,
  'prototypes.weight': (shape, _, { learnLengths: __, ...named }) => {
    const [prototypes, inputSize] = shape('prototypes.weight') as [number, number];
    return swavPrototypes({ inputSize, prototypes, ...named });
  },
};

function findHead(names: readonly string[], shapeOf: (name: string) => readonly number[], prefix: string | undefined) {
  // A first weight that is no matrix is an encoder's convolution; the layers `mlp` of DINO's head are a part of it.
  const last = 'last_layer.weight_v';
  const parts = names.filter((name) => name.endsWith(last)).map((name) => `${name.slice(0, -last.length)}mlp.`);
  const candidates = names.filter(
    (name) =>
      (shapeOf(name).length === 2 || !name.endsWith('0.weight')) && !parts.some((part) => name.startsWith(part)),
  );
  return weightsPrefix(candidates, Object.keys(builders), {
    caller: 'loadHead',
    what: "a projection head's weights",
    prefix,
  });
}

function mlpOf(shape: ShapeOf, names: readonly string[], { learnLengths: _, ...named }: Rest): TypedModel {
  const places = names
    .filter((name) => shape(name)?.length === 2)
    .map((name) => /^(\d+)\.weight$/.exec(name)?.[1])
    .filter((place) => place !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
  const sizes = places.map((place) => shape(`${place}.weight`)?.[0] as number);
  const normalised = places.map((place) => shape(`${place + 1}.running_mean`) !== undefined);
  const last = (places.at(-1) as number) + 1;
  return mlpHead({
    inputSize: shape('0.weight')?.[1] as number,
    hiddenSizes: sizes.slice(0, -1),
    outputSize: sizes.at(-1) as number,
    batchNorm: normalised.at(-1) ? 'all' : normalised[0] ? 'hidden' : 'none',
    affine: normalised.at(-1) && shape(`${last}.weight`) === undefined ? 'hidden' : 'all',
    useBias: places.some((place, i) => !normalised[i] && shape(`${place}.bias`) !== undefined),
    ...named,
  });
}

function dinoOf(shape: ShapeOf, names: readonly string[], rest: Rest): TypedModel {
  const [outputSize, bottleneckSize] = shape('last_layer.weight_v') as [number, number];
  const [hiddenSize, inputSize] = (shape('mlp.0.weight') ?? [1, 1]) as [number, number];
  const batchNorm = names.some((name) => name.endsWith('.running_mean'));
  return dinoHead({ inputSize, hiddenSize, bottleneckSize, outputSize, batchNorm, ...rest });
}
