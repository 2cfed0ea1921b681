import { argumentError } from '@tfjs-ssl/checks';
import { type Models, namedWeights } from '../weights/named-weights.ts';

/** Throws unless two sets of models have weights of the same names and shapes. */
export function checkSameStructure(fn: string, into: Models, models: Models): void {
  const [own, given] = [into, models].map((some) => {
    const { parameters, buffers } = namedWeights(some);
    return new Map(Object.entries({ ...parameters, ...buffers }).map(([name, { shape }]) => [name, `[${shape}]`]));
  }) as [Map<string, string>, Map<string, string>];
  const differences = [
    ...[...given]
      .filter(([name, shape]) => own.get(name) !== shape)
      .map(([name, shape]) => {
        const got = own.get(name);
        return got === undefined ? `it lacks ${name}` : `${name} is ${got} and not ${shape}`;
      }),
    ...[...own.keys()].filter((name) => !given.has(name)).map((name) => `models lack ${name}`),
  ];
  if (differences.length === 0) return;
  const more = differences.length > 3 ? ` and ${differences.length - 3} more` : '';
  throw argumentError({
    fn,
    argument: 'into',
    required: 'have the weights of models, by name and shape',
    got: differences,
    shown: `differences: ${differences.slice(0, 3).join('; ')}${more}`,
    advice: 'Make both with the same options, or leave it out for a copy.',
  });
}
