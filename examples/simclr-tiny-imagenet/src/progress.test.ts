import { describe, expect, it } from 'vitest';
import { epochLine, formatDuration, formatRate, ProgressBar, paperLine, type StepValues } from './progress.ts';

const values: StepValues = {
  step: 19400,
  epoch: 49,
  loss: 1.561,
  top1: 0.7246,
  top5: 0.8398,
  learningRate: 0.00029266,
};

class Screen {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 140;
  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }
  write(text: string): void {
    this.text += text;
  }
}

it('prints a step as the paper does', () => {
  expect(paperLine(values)).toBe('[Epoch 50] Step 19400: Loss=1.5610, Top1=72.46%, Top5=83.98%, LR=0.000293');
});

it('labels the means of an epoch', () => {
  expect(epochLine(values, 1234.4)).toBe(
    '[Epoch 50] mean: Loss=1.5610, Top1=72.46%, Top5=83.98%, LR=0.000293, 1,234 images/s',
  );
});

it('prints durations and rates for people', () => {
  expect([0.4, 42, 59.6, 187, 7500].map(formatDuration)).toEqual(['0 s', '42 s', '1:00 min', '3:07 min', '2:05 h']);
  expect([2.34, 1020.2].map(formatRate)).toEqual(['2.3 images/s', '1,020 images/s']);
});

describe('ProgressBar', () => {
  it('redraws one line on a terminal and shows the time left', () => {
    const screen = new Screen(true);
    const bar = new ProgressBar(screen, 100, 32);
    for (let step = 0; step < 20; step++) bar.update({ ...values, step }, 1000 + 200 * step);
    const lines = screen.text.split('\r');
    expect(lines.at(-1)).toBe(
      '████░░░░░░░░░░░░░░░░  20%  epoch 50  loss 1.561  top-1 72.46%  top-5 83.98%  lr 0.000293  160 images/s  16 s left\x1b[K',
    );
    bar.print('a line');
    expect(screen.text.endsWith('\r\x1b[Ka line\n')).toBe(true);
  });

  it('writes nothing but lines elsewhere', () => {
    const screen = new Screen(false);
    const bar = new ProgressBar(screen, 100, 32);
    for (let step = 0; step < 20; step++) bar.update({ ...values, step }, 200 * step);
    bar.print('a line');
    expect(screen.text).toBe('a line\n');
  });

  it('keeps to the width of the terminal', () => {
    const lineOf = (columns: number) => {
      const screen = Object.assign(new Screen(true), { columns });
      const bar = new ProgressBar(screen, 100, 32);
      for (let step = 0; step < 20; step++) bar.update({ ...values, step }, 1000 + 200 * step);
      return screen.text.split('\r').at(-1)?.replace('\x1b[K', '');
    };
    expect([110, 80, 60, 25, 3].map(lineOf)).toEqual([
      '20%  epoch 50  loss 1.561  top-1 72.46%  top-5 83.98%  lr 0.000293  160 images/s  16 s left',
      '20%  epoch 50  loss 1.561  top-1 72.46%  top-5 83.98%  160 images/s  16 s left',
      '20%  epoch 50  loss 1.561  top-1 72.46%  16 s left',
      '20%  loss 1.561',
      '20',
    ]);
  });
});
