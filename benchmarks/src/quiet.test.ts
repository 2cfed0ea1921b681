import { describe, expect, it } from 'vitest';
import { judge, parseProcStat, readCoreTimes, watchQuiet } from './quiet.ts';

const noRounds = new Map<string, number[]>();

/** A machine of two cores on which a look takes one second; `foreign` and `own` are processor seconds per look. */
function machine(foreign: number, own: number, child = 0) {
  let looks = 0;
  const childSeconds = () => looks * child;
  const source = {
    count: 2,
    own: () => looks * own,
    cores: () => {
      const busy = looks * (foreign + own + child);
      return { busy, idle: looks * 2 - busy };
    },
  };
  const watch = watchQuiet(childSeconds, source);
  return {
    lap: () => {
      looks++;
      watch.lap();
      return watch.verdict(noRounds);
    },
  };
}

describe('parseProcStat', () => {
  it('counts stolen time as busy and waiting for a disk as idle', () => {
    const text = 'cpu  100 10 50 1000 30 5 15 20 7 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n';
    expect(parseProcStat(text)).toEqual({ busy: 2, idle: 10.3 });
  });
});

describe('readCoreTimes', () => {
  it('never runs backwards', () => {
    const before = readCoreTimes();
    const after = readCoreTimes();
    expect(after.busy).toBeGreaterThanOrEqual(before.busy);
    expect(before.idle).toBeGreaterThan(0);
  });
});

describe('watchQuiet', () => {
  it('does not take the own work and that of the rival for a disturbance', () => {
    expect(machine(0, 1.2, 0.7).lap()).toMatchObject({ quiet: true, foreignCores: 0, disturbances: [] });
  });

  it('notices what others do', () => {
    const { quiet, foreignCores, disturbances } = machine(0.9, 1).lap();
    expect(quiet).toBe(false);
    expect(foreignCores).toBeCloseTo(0.9, 12);
    expect(disturbances).toEqual(['other processes kept up to 0.90 cores busy']);
  });

  it('keeps the worst look', () => {
    let busy = 0;
    let idle = 0;
    const watch = watchQuiet(undefined, { count: 1, own: () => 0, cores: () => ({ busy, idle }) });
    for (const foreign of [0.1, 0.7, 0.2]) {
      busy += foreign;
      idle += 1 - foreign;
      watch.lap();
    }
    expect(watch.verdict(noRounds).foreignCores).toBeCloseTo(0.7, 12);
  });

  it('says that it cannot tell where the counters stand still', () => {
    const watch = watchQuiet(undefined, { count: 1, own: () => 0, cores: () => ({ busy: 5, idle: 5 }) });
    watch.lap();
    expect(watch.verdict(noRounds).foreignCores).toBeNull();
  });
});

describe('judge', () => {
  it('goes by the load average only where the machine says nothing better', () => {
    expect(judge({ foreignCores: 0.01, loadAverage: 3, rounds: noRounds }).quiet).toBe(true);
    expect(judge({ foreignCores: null, loadAverage: 3, rounds: noRounds }).disturbances).toEqual([
      'the load average was 3.00, and the machine does not say more',
    ]);
  });

  it('calls rounds that differ a disturbance', () => {
    const rounds = new Map([
      ['simd', [1, 1.05, 1.1]],
      ['PyTorch', [1, 1, 6]],
    ]);
    expect(judge({ foreignCores: 0, loadAverage: 0, rounds }).disturbances).toEqual([
      'the rounds of PyTorch differ by 500 % of their median',
    ]);
  });
});
