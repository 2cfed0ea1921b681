// `npm run test:runtimes [-- --versions 20.19,22,24,26 --modes 1,2,3,single --golden DIR]`: the suites of ops and blocks, those of the CPU
// engine and its golden values on several versions of Node (installed from npm's package `node` into a folder of their own; a path to a
// binary may stand for a version), each with 1, 2 and 3 threads and on memory that is not shared. Prints a table; ends with 1 where a test
// has failed. Not part of the gate: every cell takes a minute or two.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    versions: { type: 'string', default: '20.19,22,24,26' },
    modes: { type: 'string', default: '1,2,3,single' },
    golden: { type: 'string' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const work = mkdtempSync(join(tmpdir(), 'tfjs-ssl-runtimes-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const suites = {
  'ops, blocks, engine': [
    'unit',
    ...['ops', 'layers', 'losses', 'augmentations', 'engine-simd'].map((name) => `packages/${name}`),
  ],
  'golden values': ['golden'],
};

/** The binary of a version of Node, installed where it is not there yet. */
function binaryOf(version) {
  if (version.includes('/')) return version;
  const folder = join(tmpdir(), 'tfjs-ssl-nodes', version);
  const binary = join(folder, 'node_modules/node/bin/node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, `node@${version}`], {
      stdio: 'ignore',
    });
  }
  return binary;
}

const environmentOf = (mode) => (mode === 'single' ? { TFJS_SSL_SHARED_MEMORY: '0' } : { TFJS_SSL_THREADS: mode });

/** Runs a suite and returns how many tests passed, failed and were skipped, and which failed. */
function run(binary, [project, ...paths], mode) {
  const report = join(work, 'report.json');
  rmSync(report, { force: true });
  const args = [vitest, 'run', '--project', project, ...paths, '--reporter=json', `--outputFile=${report}`];
  const { stderr } = spawnSync(binary, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: {
      ...process.env,
      ENGINES: 'simd',
      GOLDEN_ENGINES: 'simd',
      ...(values.golden !== undefined && { GOLDEN_DIR: values.golden }),
      ...environmentOf(mode),
    },
  });
  if (!existsSync(report)) throw new Error(`${binary} ${args.join(' ')} made no report:\n${stderr}`);
  const {
    numPassedTests: passed,
    numPendingTests: skipped,
    success,
    testResults,
  } = JSON.parse(readFileSync(report, 'utf8'));
  const failures = testResults.flatMap(({ name, message, assertionResults }) => [
    ...(message ? [`${name}: ${message}`] : []),
    ...assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]?.split('\n')[0]}`),
  ]);
  return { passed, skipped, failures, success };
}

console.log('| Node | threads | suite | passed | failed | skipped |\n|---|---|---|---|---|---|');
for (const version of values.versions.split(',')) {
  const binary = binaryOf(version);
  const exact = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();
  for (const mode of values.modes.split(',')) {
    for (const [title, suite] of Object.entries(suites)) {
      const { passed, skipped, failures, success } = run(binary, suite, mode);
      console.log(`| ${exact} | ${mode} | ${title} | ${passed} | ${failures.length} | ${skipped} |`);
      for (const failure of failures) console.log(`  ${failure}`);
      if (!success) process.exitCode = 1;
    }
  }
}
