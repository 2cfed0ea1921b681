import type { Chain, ViewChains } from '@tfjs-ssl/augmentations';

/** Whether all views have one chain. */
export const isChain = (chain: Chain | ViewChains): chain is Chain =>
  typeof chain === 'object' && chain !== null && 'sampleTable' in chain;
