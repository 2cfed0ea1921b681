// `node scripts/check-summary.mjs RUN --data NAME [--learns]`: fails unless a run of the example ended well and, with --learns,
// unless it learnt what the quick scale is made to learn.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: { data: { type: 'string' }, learns: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [run] = positionals;
const summary = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8'));
console.log(JSON.stringify(summary));
for (const file of ['config.json', 'metrics.jsonl', 'loss.svg', 'views.png', 'report.html', 'model.safetensors']) {
  assert.ok(existsSync(join(run, file)), `${run} has no ${file}`);
}
assert.equal(summary.data, values.data);
const { loss, top1, knn } = summary;
for (const value of [loss.first, loss.last, top1.first, top1.last, knn.before, knn.after])
  assert.ok(Number.isFinite(value));
assert.ok(loss.last < loss.first, 'the loss falls');
if (values.learns) {
  assert.ok(loss.last <= 0.75 * loss.first, 'the loss of the last tenth is at most 0.75 of that of the first');
  assert.ok(top1.last >= 2 * top1.first, 'the pretext accuracy at least doubles');
  assert.ok(knn.after >= knn.before + 0.08, "kNN is at least 8 points above the untrained encoder's");
}
