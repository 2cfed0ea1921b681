import { wrap } from '../wrap.ts';
import { defaultOf, type Field, presets, scales } from './field.ts';
import { fields } from './table.ts';

/** Columns of the text. */
const width = 94;

/** The text of `--help settings`. */
export function settingsHelp(): string {
  return [
    'Settings decide the numbers of a run. config.json in a run folder holds all of them.',
    '',
    'Usage: npm run simclr -- --set NAME=VALUE [--set NAME=VALUE ...]',
    '   or: npm run simclr -- --config FILE.json',
    'The file holds some or all of them in groups: { "temperature": 0.2, "optimizer": { "learningRate": 0.001 } }',
    '',
    ...[...fields].flatMap(([name, field]) => [
      `  ${name}`,
      ...wrap(field.help, width).map((line) => `      ${line}`),
      ...wrap(`${field.takes} [default: ${defaultText(field)}]`, width).map((line) => `      ${line}`),
    ]),
  ].join('\n');
}

/** The default of a field in words: the paper's, then those of presets that differ from it, for each scale if scales differ. */
export function defaultText(field: Field<unknown>): string {
  const [quick, full] = scales.map((scale) => {
    const [paper, ...others] = presets.map((preset) => ({ preset, value: show(defaultOf(field, preset, scale)) }));
    const different = others.filter(({ value }) => value !== paper?.value);
    const names = different.map(({ preset, value }) => `${preset} ${value}`).join(', ');
    return `${paper?.value}${names && ` (${names})`}`;
  });
  return quick === full ? `${full}` : `quick ${quick}, full ${full}`;
}

const show = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : value.map(show).join(',');
  if (typeof value !== 'number') return String(value);
  return value !== 0 && value < 1e-4 ? value.toExponential() : `${Number(value.toPrecision(4))}`;
};
