import type { LayersModel } from '@tensorflow/tfjs-layers';
import { encodeWeights, loadWeights, namedWeights } from '@tfjs-ssl/resnet';
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from '@tfjs-ssl/safetensors';

/** How batch norm's weights and statistics are filled: with 1 and 0, or with numbers around them. */
export type BatchNormVariant = 'standard' | 'perturbed';

/** FNV-1a, 32 bits, over the UTF-8 bytes. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** Numbers in [-1, 1) that any language can recompute exactly: `unit` of the golden set's rule `fill`. */
export function fillUnit(salt: string, key: string, count: number): Float32Array {
  const seed = fnv1a(`${salt}:${key}`);
  return Float32Array.from({ length: count }, (_, i) => {
    let x = (seed + Math.imul(i, 0x9e3779b1)) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    return (x >>> 8) * 2 ** -23 - 1;
  });
}

/**
 * One entry of a state dict by the golden set's rule `fill`, in PyTorch's layout.
 *
 * @param fanIn - for the bias of a linear layer: the layer's inputs. Weights know theirs from their shape.
 */
export function fillValue(
  salt: string,
  key: string,
  shape: readonly number[],
  variant: BatchNormVariant,
  fanIn?: number,
): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const unit = fillUnit(salt, key, count);
  const inputs = fanIn ?? (shape.length === 4 || shape.length === 2 ? count / (shape[0] as number) : undefined);
  if (inputs !== undefined) {
    const bound = Math.fround(Math.sqrt((shape.length === 4 ? 6 : 1) / inputs));
    return unit.map((u) => u * bound);
  }
  const leaf = key.slice(key.lastIndexOf('.') + 1);
  const center = leaf === 'weight' || leaf === 'running_var' ? 1 : 0;
  if (variant === 'standard') return unit.fill(center);
  const spread = { weight: 0.25, bias: 0.125, running_mean: 0.125, running_var: 0.5 }[leaf] as number;
  return unit.map((u) => center + spread * u);
}

/**
 * Fills a model by the rule, through the public way of loading weights.
 *
 * @param prefix - precedes the model's own names in the rule's keys: `'fc.'` for a head.
 */
export async function fillModel(
  model: LayersModel,
  salt: string,
  variant: BatchNormVariant,
  prefix = '',
): Promise<void> {
  const shapes = await stateDict(model);
  const tensors: Record<string, SafeTensor> = {};
  for (const [name, { shape }] of Object.entries(shapes)) {
    // A bias belongs to a linear layer where the weight beside it is a matrix.
    const weight = name.endsWith('.bias') ? shapes[name.replace(/bias$/, 'weight')] : undefined;
    const fanIn = weight?.shape.length === 2 ? weight.shape[1] : undefined;
    tensors[name] = { dtype: 'F32', shape, data: fillValue(salt, prefix + name, shape, variant, fanIn) };
  }
  await loadWeights(model, encodeSafetensors(tensors));
}

/** The weights and statistics of a model in PyTorch's names and layouts. */
export async function stateDict(
  model: LayersModel,
): Promise<Record<string, { shape: readonly number[]; data: Float32Array }>> {
  const { parameters, buffers } = namedWeights(model);
  const { tensors } = decodeSafetensors(await encodeWeights(model));
  return Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => name in parameters || name in buffers)
      .map(([name, { shape, data }]) => [name, { shape, data: data as Float32Array }]),
  );
}
