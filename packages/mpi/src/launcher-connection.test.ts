import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ForeignFunctions } from './foreign.ts';
import { takeConnection } from './launcher-connection.ts';

const foreign = (await ForeignFunctions.open()) as ForeignFunctions;

it('leaves a process alone that has no such connection', () => {
  const environment = {};
  takeConnection(foreign, environment);
  expect(environment).toEqual({});
});

it('says that a connection is gone which nobody above this process holds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-mpi-'));
  const file = openSync(join(folder, 'not-a-socket'), 'w');
  const refusal = (number: string) => () => takeConnection(foreign, { PMI_FD: number });
  expect(refusal(`${file}`)).toThrow(`openMpi: PMI_FD must be this process's connection to the launcher, got ${file},`);
  expect(refusal('99999')).toThrowErrorMatchingInlineSnapshot(
    `[Error: openMpi: PMI_FD must be this process's connection to the launcher, got 99999, which a process in between (npm, for example) has closed. Let the launcher start Node itself (\`mpiexec -n 2 node FILE\`) or, with MPICH, connect by TCP (\`mpiexec -pmi-port -n 2 npm run NAME\`).]`,
  );
  rmSync(folder, { recursive: true });
});
