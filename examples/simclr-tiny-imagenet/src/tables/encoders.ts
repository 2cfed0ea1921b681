import { resnet18, resnet34, resnet50 } from '@tfjs-ssl/resnet';

/** The encoders by name: to add one, add its line. Each takes the size of the images, a stem, a width and a seed. */
export const encoders = { resnet18, resnet34, resnet50 } as const;
