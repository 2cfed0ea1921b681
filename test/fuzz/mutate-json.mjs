/** Values that readers seldom expect. */
const others = [null, true, -1, 0.5, 1e300, '', '1', [], {}, [null], { a: 1 }, 'x'.repeat(2000)];

/**
 * Other values of the same JSON: fields replaced, taken away, doubled under another name, or the whole of it.
 *
 * @param {unknown} value
 * @param {(bound: number) => number} random
 */
export function mutateJson(value, random) {
  const root = { value: structuredClone(value) };
  for (let times = 1 + random(3); times > 0; times--) {
    let [holder, key] = [root, 'value'];
    while (random(5) > 0 && isHolder(holder[key])) {
      const keys = Object.keys(holder[key]);
      if (keys.length === 0) break;
      [holder, key] = [holder[key], keys[random(keys.length)]];
    }
    const change = random(4);
    if (change === 0 && holder !== root) delete holder[key];
    else if (change === 1 && !Array.isArray(holder)) holder[`${key}2`] = holder[key];
    else holder[key] = structuredClone(others[random(others.length)]);
  }
  return root.value;
}

const isHolder = (value) => typeof value === 'object' && value !== null;
