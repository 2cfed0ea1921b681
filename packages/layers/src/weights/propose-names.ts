/** Names of the file that have a place of their own: no counters. */
const counted = (name: string): boolean => !name.endsWith('.num_batches_tracked');

/**
 * Looks how the names of a file could become those of a model.
 *
 * @param model - names of the model.
 * @param file - names of the file.
 * @returns options of `loadWeights`, as they are written, each with the number of names that it finds; the best first, none if nothing fits.
 */
export function proposeNames(model: readonly string[], file: readonly string[]): string[] {
  const names = file.filter(counted);
  const ofModel = new Set(model);
  const plain = names.filter((name) => ofModel.has(name)).length;
  const enough = ([, count]: [string, number]): boolean => count > plain && 2 * count > model.length;
  const inFile = countPrefixes(names, ofModel).filter(enough);
  if (inFile.length > 0) {
    return inFile.slice(0, 3).map(([prefix, count]) => `prefix: '${prefix}' (${count} of ${model.length} names)`);
  }
  const inModel = countPrefixes(model, new Set(names)).filter(enough);
  if (inModel.length > 0) return inModel.slice(0, 3).map(([prefix]) => `names: { '': '${prefix}' }`);
  return sequentialNames(model, names);
}

/** What stands before names that are known, with how many they are; the most frequent first. */
function countPrefixes(names: readonly string[], known: ReadonlySet<string>): Array<[string, number]> {
  const counts = new Map<string, number>();
  for (const name of names) {
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      if (!known.has(name.slice(dot + 1))) continue;
      const prefix = name.slice(0, dot + 1);
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** The children of PyTorch's `nn.Sequential` have numbers for names: matches them with the model's, in order, by the names below them. */
function sequentialNames(model: readonly string[], file: readonly string[]): string[] {
  const prefixes = new Set(file.map((name) => /^(?:.*?\.)??(?=\d+\.)/.exec(name)?.[0]).filter((p) => p !== undefined));
  for (const prefix of prefixes) {
    const children = groups(file.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)));
    const numbered = [...children].filter(([child]) => /^\d+$/.test(child)).sort(([a], [b]) => Number(a) - Number(b));
    const pairs: string[] = [];
    let next = 0;
    for (const [name, below] of groups(model)) {
      while (next < numbered.length && numbered[next]?.[1] !== below) next++;
      const child = numbered[next++]?.[0];
      if (child === undefined) break;
      pairs.push(`'${prefix}${child}.': '${name}.'`);
    }
    if (pairs.length > 0 && pairs.length === groups(model).size) return [`names: { ${pairs.join(', ')} }`];
  }
  return [];
}

/** First parts of names, each with all that stands below it, as one text. */
function groups(names: readonly string[]): Map<string, string> {
  const below = new Map<string, string[]>();
  for (const name of names) {
    const dot = name.indexOf('.');
    const first = name.slice(0, dot);
    below.set(first, [...(below.get(first) ?? []), name.slice(dot + 1)]);
  }
  return new Map([...below].map(([first, rest]) => [first, rest.sort().join(' ')]));
}
