import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageFolder } from '../find-addon.ts';
import { LinkError, type Run } from './system.ts';

/**
 * Finds a C++ compiler.
 *
 * @param named - what the environment variable `CXX` says, if anything.
 * @throws LinkError where there is none.
 */
export function findCompiler(run: Run, named: string | undefined): string {
  const candidates = named ? [named] : ['g++', 'clang++'];
  const compiler = candidates.find((candidate) => run(candidate, ['--version']).status === 0);
  if (compiler) return compiler;
  throw new LinkError(
    `a C++ compiler is needed, got none of ${candidates.join(', ')}. Install one (\`apt install g++\` or \`dnf install gcc-c++\`), or name yours: \`CXX=/path/to/g++\`.`,
  );
}

/**
 * Finds the folder of `node_api.h`: that of the package node-api-headers, or of the Node that runs.
 *
 * @throws LinkError where neither is there.
 */
export function findNodeHeaders(project: string, node: string = process.execPath): string {
  const headers = packageFolder('node-api-headers', project);
  const folders = [...(headers ? [join(headers, 'include')] : []), join(dirname(node), '..', 'include', 'node')];
  const folder = folders.find((candidate) => existsSync(join(candidate, 'node_api.h')));
  if (folder) return folder;
  throw new LinkError(
    `node_api.h is needed, got none in ${folders.join(', ')}. Run \`npm install --save-dev node-api-headers\` and link again.`,
  );
}
