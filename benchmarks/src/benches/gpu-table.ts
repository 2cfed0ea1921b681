import type { Bench } from '../bench.ts';
import { gpuTable } from '../gpu-table.ts';
import { type TextOption, UsageError } from '../options.ts';

interface Options extends Record<string, TextOption> {
  readonly folder: TextOption;
}

/** Makes one table of everything that `gpu.sh` has measured. */
export const gpuTableBench: Bench<Options> = {
  name: 'gpu-table',
  summary: 'one table of the results of benchmarks/gpu.sh; measures nothing',
  options: { folder: { type: 'text', default: '', help: 'folder with the results' } },
  async run({ folder }) {
    if (folder === '') throw new UsageError('bench gpu-table: --folder must name the folder of the results, got none.');
    const table = await gpuTable(folder);
    return {
      record: { bench: gpuTableBench.name, lines: table },
      table: table.length ? table : [['', 'no results yet']],
    };
  },
};
