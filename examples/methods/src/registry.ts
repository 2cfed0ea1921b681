import * as ssl from '@tfjs-ssl/all';
import type { Train } from './method.ts';

/** The encoder as it starts: what every method has to be better than. */
const untrained: Train = async ({ size, seed }) => ssl.resnet18({ inputShape: [size, size, 3], width: 16, seed });

/** Every method by its name, which is that of its file. */
export const methods: Readonly<Record<string, () => Promise<{ readonly train: Train }>>> = {
  untrained: async () => ({ train: untrained }),
  simclr: () => import('./simclr.ts'),
  dcl: () => import('./dcl.ts'),
  supcon: () => import('./supcon.ts'),
  moco: () => import('./moco.ts'),
  byol: () => import('./byol.ts'),
  simsiam: () => import('./simsiam.ts'),
  'barlow-twins': () => import('./barlow-twins.ts'),
  vicreg: () => import('./vicreg.ts'),
  swav: () => import('./swav.ts'),
  dino: () => import('./dino.ts'),
};
