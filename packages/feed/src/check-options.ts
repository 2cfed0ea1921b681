import type { Chain, ViewChains } from '@tfjs-ssl/augmentations';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { isChain } from './is-chain.ts';

/** What of a feed's options is checked before anything is made. */
interface Checked {
  readonly chain: Chain | ViewChains;
  readonly batchSize: number;
  readonly views?: number;
  readonly labels?: boolean;
}

const fn = 'imageFeed';

/** Throws if the options of a feed do not fit its images. */
export function checkOptions(
  { length, labels }: { readonly length: number; readonly labels?: Int32Array },
  options: Checked,
): void {
  const { batchSize, chain, views, labels: wanted } = options;
  checkChain(chain);
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > length) {
    throw argumentError({
      fn,
      argument: 'batchSize',
      required: `be an integer from 1 to the ${length} images there are`,
      got: batchSize,
      advice: 'Use a smaller batch, or more images.',
    });
  }
  if (views !== undefined) {
    checkNumber(fn, 'views', views, { min: 1, integer: true }, 'A contrastive loss needs 2; leave it out.');
    if (!isChain(chain)) {
      throw argumentError({
        fn,
        argument: 'views',
        required: 'be left out if `chain` lists a chain for each view',
        got: views,
        advice: 'The list says how many there are.',
      });
    }
  }
  if (wanted && !labels) {
    throw argumentError({
      kind: 'type',
      fn,
      argument: 'images',
      required: 'have labels if `labels` is true',
      got: labels,
      shown: 'none',
      advice: 'Give them, or leave `labels` out.',
    });
  }
  if (labels && labels.length !== length) {
    throw argumentError({
      fn,
      argument: 'images.labels',
      required: `have ${length} labels, one for each image`,
      got: labels.length,
      advice: 'Give all, or none.',
    });
  }
}

/** What is in lists and groups is checked where views are planned. */
function checkChain(chain: unknown): void {
  const isObject = typeof chain === 'object' && chain !== null;
  const transform = isObject && 'sample' in chain && !('sampleTable' in chain) && 'name' in chain;
  if (isObject && !transform) return;
  throw argumentError({
    kind: 'type',
    fn,
    argument: 'chain',
    required: 'be a chain, or chains for each view',
    got: chain,
    ...(transform && { shown: `the transform ${chain.name}` }),
    advice: 'Pass simclrChain({ size }), or compose([...]) of transforms.',
  });
}
