import { expect, it } from 'vitest';
import { proposeNames } from './propose-names.ts';

const norm = ['weight', 'bias', 'running_mean', 'running_var'];
const model = [
  'conv1.weight',
  ...norm.map((name) => `bn1.${name}`),
  ...norm.map((name) => `layer1.0.bn1.${name}`),
  ...norm.map((name) => `layer2.0.bn1.${name}`),
];
const behind = (prefix: string) => model.map((name) => prefix + name);

it('finds what stands before the names of the model, the most frequent first', () => {
  expect(proposeNames(model, behind('module.'))).toEqual(["prefix: 'module.' (13 of 13 names)"]);
  const moco = [...behind('module.encoder_q.').slice(1), ...behind('module.encoder_k.'), 'module.queue'];
  expect(proposeNames(model, moco)).toEqual([
    "prefix: 'module.encoder_k.' (13 of 13 names)",
    "prefix: 'module.encoder_q.' (12 of 13 names)",
  ]);
});

it('finds what stands before the names in the model only', () => {
  expect(proposeNames(behind('backbone.'), model)).toEqual(["names: { '': 'backbone.' }"]);
});

it('matches the numbers of an nn.Sequential by what they hold', () => {
  const numbers = { conv1: '0', bn1: '1', layer1: '4', layer2: '10' };
  const file = model.map((name) => name.replace(/^\w+/, (child) => numbers[child as keyof typeof numbers]));
  const expected = "'0.': 'conv1.', '1.': 'bn1.', '4.': 'layer1.', '10.': 'layer2.'";
  expect(proposeNames(model, [...file, '1.num_batches_tracked'])).toEqual([`names: { ${expected} }`]);
  const wrapped = file.map((name) => `backbone.${name}`);
  expect(proposeNames(model, [...wrapped, 'head.0.weight'])).toEqual([
    `names: { ${expected.replaceAll(/'(?=\d)/g, "'backbone.")} }`,
  ]);
});

it('proposes nothing where nothing fits, or nothing better', () => {
  expect(proposeNames(model, model.slice(0, -1))).toEqual([]);
  expect(proposeNames(model, ['0.weight', '1.kernel'])).toEqual([]);
  expect(proposeNames(model, ['module.conv1.weight'])).toEqual([]); // one of thirteen
  expect(proposeNames(model, [])).toEqual([]);
});
