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

/** The default of a field in words: one value, or those of scales and presets as far as they differ. */
export function defaultText(field: Field<unknown>): string {
  const [quick, full] = scales.map((scale) => {
    const values = presets.map((preset) => show(defaultOf(field, preset, scale)));
    const [first] = values;
    return values.every((value) => value === first)
      ? (first as string)
      : presets.map((preset, i) => `${preset} ${values[i]}`).join(', ');
  });
  if (quick === full) return quick as string;
  return `quick ${quick}${/, /.test(`${quick}${full}`) ? ';' : ','} full ${/, /.test(full as string) ? `by preset: ${full}` : full}`;
}

const show = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : value.map(show).join(',');
  if (typeof value !== 'number') return String(value);
  return value !== 0 && value < 1e-4 ? value.toExponential() : `${Number(value.toPrecision(4))}`;
};
