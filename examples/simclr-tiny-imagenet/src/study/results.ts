import type { PartialSummary } from '../summary.ts';
import type { Cell, Plan } from './plan.ts';
import { type Estimate, estimate } from './statistics.ts';

/** What is measured of a run, with how it is printed. */
export const measures = {
  knn: { title: 'kNN top-1', of: ({ knn }: PartialSummary) => knn?.after, isShare: true },
  linear: { title: 'linear top-1', of: ({ evaluation }: PartialSummary) => evaluation?.linear.top1, isShare: true },
  top1: { title: 'pretext top-1', of: ({ top1 }: PartialSummary) => top1?.last, isShare: true },
  loss: { title: 'loss', of: ({ loss }: PartialSummary) => loss?.last, isShare: false },
} as const;

export type Measure = keyof typeof measures;

/** A finished run. */
export interface RunResult {
  readonly cell: string;
  readonly seed: number;
  readonly values: Readonly<Partial<Record<Measure, number>>>;
  readonly parameters: { readonly encoder: number; readonly head: number };
  /** Wall-clock seconds, evaluations at start and end included. */
  readonly seconds: number;
}

/** A cell with the means over its seeds. */
interface CellResult {
  readonly name: string;
  readonly levels: Cell['levels'];
  readonly seeds: readonly number[];
  readonly parameters: RunResult['parameters'];
  readonly seconds: Estimate;
  readonly values: Readonly<Partial<Record<Measure, Estimate>>>;
}

/** What a level changes beside the reference level, in pairs of runs of one seed and equal other levels; of the factor `together`, what a cell changes beside the reference. */
interface Effect {
  readonly factor: string;
  readonly level: string;
  readonly reference: string;
  /** Differences of each seed, each the mean over its pairs. */
  readonly values: Readonly<Partial<Record<Measure, Estimate>>>;
}

/** What a study has given so far. */
export interface StudyResults {
  readonly title: string;
  readonly planned: number;
  readonly done: number;
  readonly failed: ReadonlyArray<{ readonly cell: string; readonly seed: number; readonly reason: string }>;
  readonly measures: readonly Measure[];
  readonly cells: readonly CellResult[];
  readonly effects: readonly Effect[];
  readonly runs: readonly RunResult[];
}

/** The result in the summary of a finished run. */
export function resultOf(cell: string, seed: number, summary: PartialSummary): RunResult {
  const values = Object.entries(measures).flatMap(([name, { of }]) => {
    const value = of(summary);
    return value === undefined ? [] : [[name, value] as const];
  });
  const { parameters, seconds } = summary;
  if (!parameters || seconds === undefined) throw new Error(`The run of ${cell}, seed ${seed}, has no summary.`);
  return { cell, seed, values: Object.fromEntries(values), parameters, seconds };
}

/** The means of cells and the effects of factors. */
export function summarizeStudy(
  plan: Plan,
  runs: readonly RunResult[],
  failed: StudyResults['failed'] = [],
): StudyResults {
  const found = (Object.keys(measures) as Measure[]).filter((measure) =>
    runs.some(({ values }) => values[measure] !== undefined),
  );
  const cells = plan.cells.flatMap(({ name, levels }): CellResult[] => {
    const own = runs.filter(({ cell }) => cell === name);
    const [first] = own;
    if (!first) return [];
    return [
      {
        name,
        levels,
        seeds: own.map(({ seed }) => seed),
        parameters: first.parameters,
        seconds: estimate(own.map(({ seconds }) => seconds)),
        values: eachMeasure(found, (measure) => own.flatMap(({ values }) => values[measure] ?? [])),
      },
    ];
  });
  const effects = Object.entries(plan.factors).flatMap(([factor, [reference, ...others]]) =>
    others.map(
      (level): Effect => ({
        ...{ factor, level, reference: reference as string },
        values: eachMeasure(found, (measure) =>
          plan.seeds.flatMap((seed) => differenceOf(plan, runs, { factor, level, reference, seed, measure })),
        ),
      }),
    ),
  );
  const changesTogether = plan.together.map(
    (level): Effect => ({
      ...{ factor: 'together', level, reference: 'reference' },
      values: eachMeasure(found, (measure) =>
        plan.seeds.flatMap((seed) => {
          const of = (name: string) => runs.find((run) => run.cell === name && run.seed === seed)?.values[measure];
          const [value, reference] = [of(level), of('reference')];
          return value === undefined || reference === undefined ? [] : [value - reference];
        }),
      ),
    }),
  );
  return {
    title: plan.title,
    planned: plan.runs.length,
    done: runs.length,
    failed,
    measures: found,
    cells,
    effects: [...effects, ...changesTogether],
    runs,
  };
}

function eachMeasure(
  names: readonly Measure[],
  valuesOf: (measure: Measure) => number[],
): Partial<Record<Measure, Estimate>> {
  const entries = names.map((name) => [name, valuesOf(name)] as const).filter(([, values]) => values.length > 0);
  return Object.fromEntries(entries.map(([name, values]) => [name, estimate(values)]));
}

/** The mean difference over the pairs of one seed; nothing until all its pairs are there. */
function differenceOf(
  { cells }: Plan,
  runs: readonly RunResult[],
  at: { factor: string; level: string; reference: string | undefined; seed: number; measure: Measure },
): number[] {
  const { factor, level, reference, seed, measure } = at;
  const others = ({ levels }: Cell) => JSON.stringify({ ...levels, [factor]: null });
  const measured = ({ name }: Cell) => runs.find((run) => run.cell === name && run.seed === seed)?.values[measure];
  const differences = cells
    .filter(({ levels }) => levels[factor] === level)
    .flatMap((cell) => {
      const partner = cells.find((each) => each.levels[factor] === reference && others(each) === others(cell));
      if (!partner) return [];
      const [value, compared] = [measured(cell), measured(partner)];
      return [value === undefined || compared === undefined ? null : value - compared];
    });
  if (differences.length === 0 || differences.includes(null)) return [];
  return [(differences as number[]).reduce((sum, value) => sum + value, 0) / differences.length];
}
