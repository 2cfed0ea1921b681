import { studyHtml } from '@tfjs-ssl/report';
import { configDifferences } from '@tfjs-ssl/trainer';
import { formatDuration } from '../progress.ts';
import type { Environment } from '../run.ts';
import { flatten, type Settings, unflatten } from '../settings/table.ts';
import type { Plan } from './plan.ts';
import { type Measure, measures, type StudyResults } from './results.ts';
import { cellTable, effectTable, type TextTable } from './text-tables.ts';

/** The page of a study: a plot of the cells and one of the effects for each measure, and the tables. */
export function studyPage(
  results: StudyResults,
  plan: Plan,
  environment: Environment,
  command: string,
): Promise<string> {
  const { title, planned, done, failed, cells, effects } = results;
  const total = cells.reduce((sum, { seconds }) => sum + seconds.values.reduce((a, b) => a + b, 0), 0);
  return studyHtml({
    title,
    status: `${done} of ${planned} runs done${failed.length > 0 ? `, ${failed.length} failed` : ''}. Intervals hold the mean with 95 % (t distribution).`,
    facts: [
      { label: 'Cells', value: `${plan.cells.length}` },
      { label: 'Seeds', value: `${plan.seeds.length}`, note: plan.seeds.join(', ') },
      { label: 'Time of all runs', value: formatDuration(total) },
    ],
    plots: results.measures.flatMap((measure) => plotsOf(measure, cells, effects)),
    tables: [
      {
        title: 'Cells',
        note: 'Mean ± half of the 95 % interval, and standard deviation over seeds',
        ...asTable(cellTable(results)),
      },
      {
        title: 'Effects',
        note: 'Differences in pairs of one seed, mean ± half of the 95 % interval',
        ...asTable(effectTable(results)),
      },
    ],
    config: commonSettings(plan),
    environment,
    footer: `Made by: ${command}`,
  });
}

function plotsOf(measure: Measure, cells: StudyResults['cells'], effects: StudyResults['effects']) {
  const { title, isShare } = measures[measure];
  const ofCells = cells.flatMap(({ name, values }) => (values[measure] ? [{ label: name, ...values[measure] }] : []));
  const ofEffects = effects.flatMap(({ factor, level, values }) =>
    values[measure] ? [{ label: `${factor} ${level}`, ...values[measure] }] : [],
  );
  return [
    ...(ofCells.length > 0
      ? [{ title, note: 'dots: seeds; line: 95 % interval', rows: ofCells, format: isShare ? '.1%' : '.3f' }]
      : []),
    ...(ofEffects.length > 0
      ? [
          {
            title: `Effects on ${title}`,
            note: 'beside the reference level of the factor',
            rows: ofEffects,
            format: isShare ? '+.1%' : '+.3f',
            differences: true,
          },
        ]
      : []),
  ];
}

const asTable = ([head = [], ...rows]: TextTable) => ({ head, rows });

/** The settings that are the same in all cells. */
function commonSettings({ cells }: Plan): object {
  const [first, ...others] = cells.map(({ settings }) => settings) as [Settings, ...Settings[]];
  const differ = new Set(others.flatMap((other) => configDifferences(first, other).map(({ name }) => name)));
  const { seed: _, ...flat } = flatten(first);
  return unflatten(Object.fromEntries(Object.entries(flat).filter(([name]) => !differ.has(name))));
}
