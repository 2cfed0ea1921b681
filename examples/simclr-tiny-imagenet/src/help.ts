import { settingFlags } from './options.ts';
import { options } from './options-table.ts';
import { defaultText } from './settings/help.ts';
import { fields } from './settings/table.ts';
import { kebab } from './usage-error.ts';
import { wrap } from './wrap.ts';

/** Columns of the left part. */
const indent = 26;

/** The text of `--help`. */
export function helpText(): string {
  const ofSettings = settingFlags.map((name): [string, string] => {
    const field = fields.get(name) as NonNullable<ReturnType<typeof fields.get>>;
    return [`--${kebab(name)} ${field.choices?.join('|') ?? 'N'}`, `${field.help} [default: ${defaultText(field)}]`];
  });
  const ofRun = Object.entries(options).map(([name, { value, help }]): [string, string] => [
    `--${kebab(name)}${value ? ` ${value}` : ''}`,
    help,
  ]);
  return [
    'Trains SimCLR with a ResNet or an EfficientNet on Tiny ImageNet and evaluates the encoder.',
    '',
    'Usage: npm run simclr [-- OPTIONS]',
    '',
    ...ofSettings.map(entry),
    entry(['--set NAME=VALUE', 'Any other setting, for example temperature=0.2; see --help settings']),
    entry([
      '--config FILE',
      "JSON file of settings and options in camel case, or a run's config.json; flags override it",
    ]),
    ...ofRun.map(entry),
    entry(['--help', 'Show this text']),
    entry(['--help settings', 'List all settings with their ranges and defaults']),
    '',
    'A run folder holds report.html, config.json, metrics.jsonl, summary.json, loss.svg, views.png, model.safetensors,',
    'checkpoints/ and event files for TensorBoard.',
    'Ctrl-C finishes the current step, writes a checkpoint and stops.',
    'mpiexec -n N npm run simclr [-- OPTIONS] trains one run on N processes, which divide every batch.',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.',
  ].join('\n');
}

function entry([left, right]: readonly [string, string]): string {
  const words = wrap(right, 100 - indent);
  const head = left.length < indent - 3 ? `  ${left}`.padEnd(indent) + words.shift() : `  ${left}`;
  return [head, ...words.map((line) => ' '.repeat(indent) + line)].join('\n');
}
