// Modules of Node in a package that pages use, too.
import { neededNodeModule } from '@tfjs-ssl/files';

const need =
  'trainer: run folders, checkpoints and logs need Node, which is missing. Leave `run` out, and keep the state of `trainer.snapshot()`.';

export const files: typeof import('node:fs/promises') = neededNodeModule('node:fs/promises', need);
export const path: typeof import('node:path') = neededNodeModule('node:path', need);
export const crypto: typeof import('node:crypto') = neededNodeModule('node:crypto', need);
