import { nodeModule, writeFilesAtomically } from '@tfjs-ssl/files';
import { encodeWeights } from './encode-weights.ts';
import type { Models } from './named-weights.ts';

const need = "saveWeights: a path needs Node's file system, which is missing. Take the bytes from encodeWeights.";

/**
 * Writes the weights of a model to a safetensors file with PyTorch's names and layouts. Node only; elsewhere use {@link encodeWeights}.
 *
 * The file is written under a temporary name beside it, synced to disk and renamed. At any moment the old file or the new one is there,
 * never a part. Several writers may write the same file at once; the last one wins.
 *
 * @param models - a model, or several by name as in `namedWeights({ encoder, head })`; not changed.
 * @param path - path of the file; its folder must exist.
 * @throws Error if the file cannot be written, with the reason and what to do.
 *
 * @example
 * ```ts
 * import { tmpdir } from 'node:os';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { saveWeights } from '@tfjs-ssl/layers';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * await saveWeights(resnet18({ width: 8 }), `${tmpdir()}/model.safetensors`);
 * ```
 */
export async function saveWeights(models: Models, path: string): Promise<void> {
  if (!nodeModule('node:fs/promises')) throw new Error(need);
  const data = await encodeWeights(models);
  try {
    await writeFilesAtomically([{ path, data }]);
  } catch (error) {
    throw new Error(`saveWeights: ${(error as Error).message}`, { cause: error });
  }
}
