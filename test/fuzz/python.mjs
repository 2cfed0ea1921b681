import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const driver = `
import hashlib, io, json, sys, warnings
warnings.simplefilter('ignore')
exec(open(sys.argv[1]).read())
for i in range(int(sys.argv[2])):
    try: print(json.dumps({'digest': read(open(f'{sys.argv[3]}/{i}', 'rb').read())}))
    except Exception as error: print(json.dumps({'refused': str(error)[:80]}))
`;

/**
 * What Python and we do otherwise: how often, and the first cases.
 *
 * @param {string} python path of an interpreter
 * @param {string} source a function read(data) of Python
 * @param {ReadonlyArray<{ bytes: Uint8Array, digest?: string, refused?: string }>} cases
 */
export function compareWithPython(python, source, cases) {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-fuzz-'));
  try {
    for (const [i, { bytes }] of cases.entries()) writeFileSync(join(folder, `${i}`), bytes);
    writeFileSync(join(folder, 'read.py'), source);
    writeFileSync(join(folder, 'driver.py'), driver);
    const { stdout, stderr, status } = spawnSync(
      python,
      [join(folder, 'driver.py'), join(folder, 'read.py'), `${cases.length}`, folder],
      { encoding: 'utf8', maxBuffer: 2 ** 28 },
    );
    if (status !== 0) throw new Error(`${python} failed: ${stderr}`);
    const theirs = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const groups = new Map();
    const note = (what, i) => groups.set(what, [...(groups.get(what) ?? []), i]);
    for (const [i, { digest, refused }] of cases.entries()) {
      const other = theirs[i];
      if (digest !== undefined && other.refused !== undefined)
        note(`read here, refused there: ${general(other.refused)}`, i);
      else if (digest === undefined && other.digest !== undefined)
        note(`refused here, read there: ${general(refused)}`, i);
      else if (digest !== other.digest) note('read otherwise', i);
    }
    return [...groups]
      .sort((a, b) => b[1].length - a[1].length)
      .map(([what, found]) => `${found.length} ${what} (case ${found.slice(0, 3).join(', ')})`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const general = (message) =>
  message
    .replaceAll(/\d+/g, 'N')
    .replaceAll(/0x[0-9a-f]+/gi, 'X')
    .slice(0, 100);
