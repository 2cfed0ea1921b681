import { argumentError, showValue } from '@tfjs-ssl/checks';
import type { ImageSize } from './check.ts';
import type { Chain } from './compose.ts';

/** Throws unless every group has a chain or more. */
export function checkChains(fn: string, groups: Readonly<Record<string, readonly Chain[]>>): void {
  const entries = typeof groups === 'object' && groups !== null ? Object.entries(groups) : [];
  const empty = entries.find(([, chains]) => Array.isArray(chains) && chains.length === 0);
  if (entries.length === 0 || empty) {
    throw argumentError({
      fn,
      argument: empty?.[0] ? `chains.${empty[0]}` : 'chains',
      required: 'hold at least one chain',
      got: groups,
      shown: 'none',
      advice: 'Pass one chain for each view: [first, second].',
    });
  }
  for (const [name, chains] of entries) {
    const argument = name ? `chains.${name}` : 'chains';
    const list: readonly unknown[] | null = Array.isArray(chains) ? chains : null;
    const wrong = list?.findIndex((chain) => !isChain(chain)) ?? -1;
    if (list && wrong < 0) continue;
    throw argumentError({
      kind: 'type',
      fn,
      argument: list ? `${argument}[${wrong}]` : argument,
      required: list ? 'be a chain' : 'be a list of chains, one for each view',
      got: list ? list[wrong] : chains,
      shown: describe(list ? list[wrong] : chains),
      advice: list ? 'Make one of transforms with compose.' : 'Pass [chain, chain] for two views.',
    });
  }
}

/** The size to which all chains of a group lead; throws where it is not one. */
export function checkOneSize(fn: string, group: string, chains: readonly Chain[], imageSize: ImageSize): ImageSize {
  const sizes = chains.map((chain) => chain.outputSize(imageSize));
  const first = sizes[0] as ImageSize;
  const other = sizes.findIndex(([height, width]) => height !== first[0] || width !== first[1]);
  if (other < 0) return first;
  throw argumentError({
    fn,
    argument: group ? `chains.${group}` : 'chains',
    required: 'lead to one size, as their views are one tensor',
    got: sizes,
    shown: `${first.join(' x ')} pixels for view 0 and ${sizes[other]?.join(' x ')} for view ${other}`,
    advice: 'Make a group for each size: { large: [...], small: [...] }.',
  });
}

/** Whether something is a chain rather than a transform, or nothing of the kind. */
const isChain = (value: unknown): value is Chain =>
  typeof value === 'object' && value !== null && 'transforms' in value && 'sampleTable' in value;

function describe(value: unknown): string {
  if (isChain(value)) return 'a chain';
  const isTransform = typeof value === 'object' && value !== null && 'name' in value && 'sample' in value;
  return isTransform ? `the transform ${value.name}` : showValue(value);
}
