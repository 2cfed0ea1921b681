import { argumentError } from '@tfjs-ssl/checks';
/** Choices for {@link weightsPrefix}. */
export interface WeightsPrefixOptions {
  /** The function that calls, for the error. */
  readonly caller: string;
  /** The thing to find, for the error, for example `"a ResNet's weights"`. */
  readonly what: string;
  /** The only prefix to accept. Default: any. */
  readonly prefix?: string | undefined;
}

/**
 * Finds the prefix of a network's weights in a file: the text before a name that every such network has.
 *
 * @param names - names of the file.
 * @param endings - names, of which every such network has exactly one: `['layer4.0.conv1.weight', '7.0.conv1.weight']`.
 * @param options - who looks for which network, for the error, and the only prefix to accept.
 * @returns the prefix, `''` or one that ends with a dot, and the ending that was found behind it.
 * @throws RangeError if there is none, or there are several.
 *
 * @example
 * ```ts
 * import { weightsPrefix } from '@tfjs-ssl/layers';
 *
 * const names = ['module.conv1.weight', 'module.fc.weight'];
 * const { prefix } = weightsPrefix(names, ['conv1.weight'], { caller: 'main', what: 'an encoder' });
 * console.log(prefix); // module.
 * ```
 */
export function weightsPrefix(
  names: readonly string[],
  endings: readonly string[],
  { caller, what, prefix }: WeightsPrefixOptions,
): { prefix: string; ending: string } {
  const places = names.flatMap((name) =>
    endings
      .filter((ending) => name === ending || name.endsWith(`.${ending}`))
      .map((ending) => ({ prefix: name.slice(0, name.length - ending.length), ending })),
  );
  const chosen = prefix === undefined ? places : places.filter((place) => place.prefix === prefix);
  if (chosen.length === 1) return chosen[0] as { prefix: string; ending: string };
  if (places.length === 0) {
    const shown = names.length > 4 ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more` : names.join(', ');
    throw argumentError({
      fn: caller,
      argument: 'source',
      required: `hold ${what}`,
      got: names,
      shown: shown || 'no tensors',
      advice: 'Check the file.',
    });
  }
  const there = places.map((place) => `'${place.prefix}'`).join(', ');
  throw argumentError({
    fn: caller,
    argument: 'source',
    required: `hold ${what} at one place`,
    got: places.map((place) => place.prefix),
    shown: `prefixes ${there}${prefix === undefined ? '' : `, not '${prefix}'`}`,
    advice: 'Pass prefix.',
  });
}
