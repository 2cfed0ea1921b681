import { argumentError } from '@tfjs-ssl/checks';
import type { SafeTensor } from '@tfjs-ssl/safetensors';

/**
 * Maps names of a file to names of the model: a function of the name, which returns null to leave a weight out; or an object of name
 * beginnings, the file's as keys and the model's as values. The longest beginning that fits counts, and names that fit none are left out.
 */
export type WeightNames = Readonly<Record<string, string>> | ((name: string) => string | null);

/**
 * The tensors of a file under the model's names.
 *
 * @throws RangeError if two of them get one name.
 */
export function renameWeights(
  tensors: Readonly<Record<string, SafeTensor>>,
  prefix: string,
  names: WeightNames,
): Map<string, SafeTensor> {
  const rename = typeof names === 'function' ? names : byBeginning(names);
  const found = new Map<string, SafeTensor>();
  for (const [name, tensor] of Object.entries(tensors)) {
    if (!name.startsWith(prefix) || name.endsWith('.num_batches_tracked')) continue;
    const renamed = rename(name.slice(prefix.length));
    if (renamed === null) continue;
    if (found.has(renamed)) {
      throw argumentError({
        fn: 'loadWeights',
        argument: 'names',
        required: 'give every weight a name of its own',
        got: renamed,
        shown: `'${renamed}' for '${name}' and another weight`,
        advice: 'Leave one of them out.',
      });
    }
    found.set(renamed, tensor);
  }
  return found;
}

function byBeginning(names: Readonly<Record<string, string>>): (name: string) => string | null {
  const beginnings = Object.entries(names).sort(([a], [b]) => b.length - a.length);
  return (name) => {
    const [from, to] = beginnings.find(([beginning]) => name.startsWith(beginning)) ?? [];
    return from === undefined ? null : to + name.slice(from.length);
  };
}
