import { checkClasses } from './dataset-options.ts';
import type { SkippedImage } from './image-dataset.ts';

/** Which files a data set has, in its order. */
export interface ImageListing {
  readonly classNames: readonly string[];
  /** Names in the tree. */
  readonly files: readonly string[];
  /** Position in `classNames`, one per file. */
  readonly labels: Int32Array;
  /** Files among the images that are not read, and why. */
  readonly leftOut: readonly SkippedImage[];
}

/** Takes every (available / classes)-th class of the sorted list: 10 of 200 are the 1st, 21st, 41st ... */
export function selectClasses(caller: string, all: readonly string[], classes: number = all.length): string[] {
  checkClasses(caller, classes, all.length);
  return Array.from({ length: classes }, (_, i) => all[Math.floor((i * all.length) / classes)] as string);
}

/** Sorts names by the last number in them, then alphabetically: image_2 before image_10. */
export function byNumber(names: readonly string[]): string[] {
  const number = (name: string) => Number(/(\d+)\D*$/.exec(name)?.[1] ?? 0);
  return names
    .map((name) => ({ name, number: number(name) }))
    .sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ name }) => name);
}

/** Appends to the list under a key. */
export function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** The start of a list, for messages. */
export function some(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.slice(0, 5).join(', ') + (names.length > 5 ? ', ...' : '');
}
