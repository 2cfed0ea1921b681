/** Schedules as they were named before there was `--set`. */
const scheduleNames: Readonly<Record<string, string>> = { 'epoch-cosine': 'epochCosine', 'warmup-cosine': 'cosine' };

type Tree = Readonly<Record<string, unknown>>;

/**
 * A `config.json` in today's names.
 *
 * Before there was `--set`, the head had one `hidden` size, the learning rate was the schedule's, and generated images had the seed of the run.
 *
 * @param config - of a run; one of today is returned as it is.
 */
export function inTodaysNames(config: Tree): Tree {
  const { head, schedule, optimizer, seed, ...rest } = config as Record<string, Tree | undefined>;
  if (!isTree(head) || !isTree(schedule) || !isTree(optimizer) || !('learningRate' in schedule)) return config;
  const { learningRate, name, ...warmup } = schedule;
  const { hidden, output, ...other } = head;
  return {
    ...rest,
    seed,
    imageSeed: seed,
    head: { ...other, hiddenSizes: [hidden], outputSize: output },
    optimizer: { ...optimizer, learningRate },
    schedule: { name: scheduleNames[String(name)] ?? name, ...warmup },
  };
}

/** Whether a value of JSON is an object. */
export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
