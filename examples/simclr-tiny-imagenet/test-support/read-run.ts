import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The steps of a run without what depends on the time. */
export const metrics = (run: string): Array<Record<string, unknown> & { readonly loss: number }> =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { seconds: _, imagesPerSecond: __, ...values } = JSON.parse(line);
      return values;
    });
