// `npm run fuzz -- [--kind NAME] [--count N] [--seed N] [--python PYTHON]`: reads damaged copies of good files. Every one must
// end in a result or in a message of ours, within seconds, and leave no memory behind. With a Python that has Pillow and
// safetensors, what is accepted is compared with what these and zipfile accept; differences are listed.
//
// JPEGs that are read otherwise, 16 of 10,000 (seed 1): their damage puts samples far outside their range, and libjpeg warns of none.
// Its vector code, which Pillow uses, cuts them off; its plain code, which is used here, wraps them around. With JSIMD_FORCENONE=1 in the
// environment Pillow uses plain code too, and one of the 16 is left, in which a sum overflows 32 bits.
import { parseArgs } from 'node:util';
import { mutate } from './mutate.mjs';
import { compareWithPython } from './python.mjs';
import { randomNumbers } from './random.mjs';

/**
 * A kind of file: `./kinds/NAME.mjs` has `files()`, good files as bytes, or `damaged(count, seed)`, damaged ones, `read(bytes)`, which
 * returns a digest of what was read or throws, `isOurs(error)`, whether an error is one of ours, and perhaps `python`, a function of Python
 * that does the same as `read`.
 */
const kinds = ['jpeg', 'png', 'zip', 'safetensors', 'checkpoint', 'config'];

const { values } = parseArgs({
  options: {
    kind: { type: 'string', multiple: true, default: kinds },
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    python: { type: 'string' },
  },
});

const slow = 5_000; // milliseconds
const growth = 150e6; // bytes

let failed = false;
for (const name of values.kind) failed = (await fuzz(name)) || failed;
process.exitCode = failed ? 1 : 0;

async function fuzz(name) {
  const kind = await import(`./kinds/${name}.mjs`);
  const cases = [];
  const faults = [];
  let accepted = 0;
  let slowest = 0;
  let memory = 0;
  const count = Number(values.count);
  const damaged = (kind.damaged ?? mutations(await kind.files?.()))(count, Number(values.seed));
  let i = 0;
  for (const bytes of damaged) {
    const started = performance.now();
    let outcome;
    try {
      outcome = { digest: await kind.read(bytes) };
      accepted++;
    } catch (error) {
      outcome = { refused: String(error?.message ?? error) };
      if (!kind.isOurs(error)) faults.push(`case ${i}: not a message of ours: ${outcome.refused}`);
    }
    const took = performance.now() - started;
    slowest = Math.max(slowest, took);
    if (took > slow) faults.push(`case ${i}: took ${(took / 1000).toFixed(1)} s`);
    if (values.python) cases.push({ bytes, ...outcome });
    // The first half warms up: what is held from then on must not grow.
    if (i++ === count >> 1) memory = held(cases);
  }
  const grown = held(cases) - memory;
  if (grown > growth) faults.push(`memory grew by ${(grown / 1e6).toFixed(0)} MB`);
  console.log(
    `${name}: ${count} files, ${accepted} read, ${count - accepted} refused, slowest ${slowest.toFixed(0)} ms, ` +
      `memory ${grown < 0 ? '' : '+'}${(grown / 1e6).toFixed(0)} MB in the second half, ${faults.length} faults`,
  );
  for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
  if (values.python && kind.python)
    for (const line of compareWithPython(values.python, kind.python, cases)) console.log(`  ${line}`);
  return faults.length > 0;
}

function mutations(files) {
  return function* (count, seed) {
    const random = randomNumbers(seed);
    for (let i = 0; i < count; i++) yield mutate(files, random);
  };
}

/** Bytes of this process without those of the cases that are kept. */
function held(cases) {
  globalThis.gc?.();
  return process.memoryUsage().rss - cases.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
