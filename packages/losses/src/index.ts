export { type BarlowTwinsOptions, barlowTwins } from './barlow-twins.ts';
export { contrastiveAccuracy } from './contrastive-accuracy.ts';
export { type ContrastiveOptions, contrastiveLogits } from './contrastive-logits.ts';
export { contrastiveRanks } from './contrastive-ranks.ts';
export { type InfoNCEOptions, infoNCE } from './info-nce.ts';
export { negativeCosine } from './negative-cosine.ts';
export { ntXent } from './nt-xent.ts';
export { type NtXentResult, ntXentWithRanks } from './nt-xent-with-ranks.ts';
export { type VICRegOptions, vicReg } from './vic-reg.ts';
