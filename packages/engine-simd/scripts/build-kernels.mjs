// Compiles the AssemblyScript kernels: generated sources to assembly/generated/, one WebAssembly file for each variant to wasm/.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateDepthwise } from './generate-depthwise.mjs';
import { generateElementwise } from './generate-elementwise.mjs';
import { generateMicro } from './generate-micro.mjs';
import { generateWinograd } from './generate-winograd.mjs';
import { variants } from './variants.mjs';

/** What is compiled: each variant for threads on a shared memory, and some of them for one thread on a memory of its own. */
const builds = variants.flatMap((variant) => [
  {
    variant,
    file: `${variant.name}.wasm`,
    entry: 'assembly/index.ts',
    options: ['--sharedMemory', '--enable', 'threads'],
  },
  ...(variant.single
    ? [{ variant, file: `${variant.name}-single.wasm`, entry: 'assembly/single.ts', options: [] }]
    : []),
]);

const root = fileURLToPath(new URL('..', import.meta.url));
const wasmFolder = join(root, 'wasm');
const hashFile = join(wasmFolder, 'sources.sha256');

/** Files that decide what comes out, with their text. */
function sources() {
  const list = (folder, extension) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(extension))
      .sort()
      .map((name) => `${folder}/${name}`);
  const names = [...list('assembly', '.ts'), ...list('scripts', '.mjs'), 'src/task-ids.ts'];
  return new Map(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
}

function hashOf(texts) {
  const hash = createHash('sha256');
  const { version } = createRequire(import.meta.url)('assemblyscript/package.json');
  hash.update(version);
  for (const [name, text] of texts) hash.update(`\0${name}\0${text}`);
  return hash.digest('hex');
}

/** Writes under a temporary name and renames: whoever reads at the same time sees the old file or the new one. */
function replaceFile(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}

function isUpToDate(hash) {
  try {
    const present = readdirSync(wasmFolder);
    return readFileSync(hashFile, 'utf8') === hash && builds.every(({ file }) => present.includes(file));
  } catch {
    return false;
  }
}

async function compile(asc, files, { variant, entry, options }) {
  const texts = new Map(files);
  texts.set('assembly/generated/micro.ts', generateMicro(variant));
  texts.set('assembly/generated/winograd.ts', generateWinograd(variant));
  let binary;
  const { error, stderr } = await asc.main(
    [
      ...[entry, '--outFile', 'out.wasm', '-O3', '--noAssert', '--runtime', 'stub', '--importMemory'],
      ...['--initialMemory', '17', '--maximumMemory', '65536', ...options],
      ...['--enable', 'simd', ...(variant.relaxed ? ['--enable', 'relaxed-simd'] : [])],
    ],
    {
      readFile: (name) => texts.get(posix.normalize(name)) ?? null,
      writeFile: (name, content) => {
        if (name.endsWith('.wasm')) binary = content;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary)
    throw new Error(`compiling the kernels (${variant.name}) failed:\n${stderr.toString()}`, { cause: error });
  return binary;
}

/**
 * Compiles the AssemblyScript kernels into `wasm/` if the sources have changed since the last time.
 *
 * @param onProgress - called before each file, with how many are done and how many there are.
 */
export async function buildKernels(onProgress = () => {}) {
  const texts = sources();
  const hash = hashOf(texts);
  if (isUpToDate(hash)) return;
  const { default: asc } = await import('assemblyscript/asc');
  texts.set('assembly/generated/depthwise.ts', generateDepthwise());
  texts.set('assembly/generated/elementwise.ts', generateElementwise());
  for (const [done, build] of builds.entries()) {
    onProgress({ done, total: builds.length, name: build.file });
    replaceFile(join(wasmFolder, build.file), await compile(asc, texts, build));
  }
  // For people and editors; the compiler got them from memory.
  const generated = {
    depthwise: generateDepthwise(),
    elementwise: generateElementwise(),
    micro: generateMicro(variants[0]),
    winograd: generateWinograd(variants[0]),
  };
  for (const [name, text] of Object.entries(generated)) {
    replaceFile(join(root, 'assembly/generated', `${name}.ts`), text);
  }
  replaceFile(hashFile, hash);
}
