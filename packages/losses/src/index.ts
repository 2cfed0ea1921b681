export { contrastiveAccuracy } from './contrastive-accuracy.ts';
export { type ContrastiveOptions, contrastiveLogits } from './contrastive-logits.ts';
export { contrastiveRanks } from './contrastive-ranks.ts';
export { type InfoNCEResult, infoNCE } from './info-nce.ts';
export { ntXent } from './nt-xent.ts';
