// `node scripts/run.mjs FOLDER|FILE.js [ARGUMENT ...]`: builds what is out of date, then runs FOLDER's dist/main.js, or the file, in this process.
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [program, ...rest] = process.argv.slice(2);
process.argv = process.argv.slice(0, 2);
await import('./build-in-turn.mjs');
if (!process.exitCode) {
  const main = resolve(root, program.endsWith('.js') ? program : `${program}/dist/main.js`);
  process.argv = [process.argv[0], main, ...rest];
  await import(pathToFileURL(main).href);
}
