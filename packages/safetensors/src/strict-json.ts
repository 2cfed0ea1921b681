/** A value of {@link parseStrictJson}. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** An object of a JSON text; every name comes once. */
export class JsonObject extends Map<string, Json> {
  /** Its text. */
  source = '';
}

const deepest = 127;
const space = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const literal = /true|false|null/y;
const surrogate = /\p{Surrogate}/u;

/**
 * Reads JSON as the header of a safetensors file has it, more strictly than `JSON.parse`: no name twice in an object, no half of a surrogate
 * pair in a string, at most 127 levels. Whole numbers from 0 to 2^53 - 1 are numbers if they are written without point, exponent and sign;
 * all others are NaN, since `4.0` is no length of an axis.
 *
 * @throws Error that says what is wrong and where.
 */
export function parseStrictJson(text: string): Json {
  let at = 0;

  function fail(problem: string): never {
    throw new Error(`${problem} at character ${at}`);
  }
  function skip(pattern: RegExp): string {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  }
  function take(character: string): boolean {
    skip(space);
    if (text[at] !== character) return false;
    at++;
    return true;
  }

  function value(depth: number): Json {
    if (depth > deepest) fail(`more than ${deepest} levels`);
    skip(space);
    switch (text[at]) {
      case '{':
        return object(depth);
      case '[':
        return list(depth);
      case '"':
        return string();
    }
    const word = skip(literal);
    if (word !== '') return word === 'null' ? null : word === 'true';
    const digits = skip(number);
    if (digits === '') fail(at < text.length ? 'a character that no value begins with' : 'no value');
    if (!Number.isFinite(Number(digits))) fail('a number out of range');
    return /^\d+$/.test(digits) && Number.isSafeInteger(Number(digits)) ? Number(digits) : Number.NaN;
  }

  function object(depth: number): JsonObject {
    const entries = new JsonObject();
    const start = at++;
    if (!take('}')) {
      do {
        skip(space);
        if (text[at] !== '"') fail('no name');
        const name = string();
        if (entries.has(name)) fail(`the name ${JSON.stringify(name)} a second time`);
        if (!take(':')) fail('no colon');
        entries.set(name, value(depth + 1));
      } while (take(','));
      if (!take('}')) fail('no end of an object');
    }
    entries.source = text.slice(start, at);
    return entries;
  }

  function list(depth: number): Json[] {
    const items: Json[] = [];
    at++;
    if (take(']')) return items;
    do items.push(value(depth + 1));
    while (take(','));
    if (!take(']')) fail('no end of a list');
    return items;
  }

  function string(): string {
    let end = at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    let parsed: string;
    try {
      parsed = JSON.parse(text.slice(at, end + 1)) as string;
    } catch {
      fail('a string that is not valid');
    }
    if (surrogate.test(parsed)) fail('half of a surrogate pair');
    at = end + 1;
    return parsed;
  }

  const parsed = value(1);
  skip(space);
  if (at < text.length) fail('more text');
  return parsed;
}
