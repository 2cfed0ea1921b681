import { argumentError } from '@tfjs-ssl/checks';
/**
 * Which parameters get no weight decay (and, in LARS, no trust ratio).
 *
 * - `'none'`: no parameter is excluded.
 * - `'vectors'`: parameters of at most one dimension are excluded: biases, and batch norm's scales and shifts.
 * - regular expressions: parameters whose name matches one of them are excluded, as in google-research/simclr (`[/bias$/, /bn/]`).
 */
export type Exclusion = 'none' | 'vectors' | readonly RegExp[];

/** Makes the predicate of an exclusion. */
export function excludes(exclusion: Exclusion): (name: string, rank: number) => boolean {
  if (exclusion === 'none') return () => false;
  if (exclusion === 'vectors') return (_, rank) => rank <= 1;
  // A global or sticky expression remembers where it stopped: search() does not.
  return (name) => exclusion.some((pattern) => name.search(pattern) >= 0);
}

/** What a checkpoint records of an exclusion. */
export function describeExclusion(exclusion: Exclusion): string | string[] {
  return typeof exclusion === 'string' ? exclusion : exclusion.map(String);
}

/** Throws unless the exclusion is one of those that {@link Exclusion} lists. */
export function checkExclusion(fn: string, exclusion: Exclusion): void {
  const known = exclusion === 'none' || exclusion === 'vectors';
  if (known || (Array.isArray(exclusion) && exclusion.every((pattern) => pattern instanceof RegExp))) return;
  throw argumentError({
    kind: 'type',
    fn,
    argument: 'exclude',
    required: "be 'none', 'vectors' or a list of regular expressions",
    got: exclusion,
    advice: 'Name the parameters by patterns, for example [/bias$/].',
  });
}
