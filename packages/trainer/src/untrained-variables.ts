import * as tf from '@tensorflow/tfjs-core';
import type { NamedVariables } from './types.ts';

/** A step that TensorFlow.js has taken down for the gradients. */
interface TapeNode {
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
}

/**
 * The trainable variables that a loss has used and that are not among those to train. Called within the function of `tf.variableGrads`, at its end: it
 * looks at what has been taken down for the gradients, and computes nothing.
 *
 * @param known - the parameters and buffers.
 * @returns their names in TensorFlow.js, sorted.
 */
export function untrainedVariables(known: NamedVariables): string[] {
  const { activeTape } = (tf.engine() as unknown as { state: { activeTape?: readonly TapeNode[] | null } }).state;
  const expected = new Set(Object.values(known));
  const names = new Set<string>();
  for (const { inputs } of activeTape ?? []) {
    for (const input of Object.values(inputs)) {
      if (input instanceof tf.Variable && input.trainable && !expected.has(input)) names.add(input.name);
    }
  }
  return [...names].sort();
}

/** Warns of trainable variables that stay as they are. */
export function warnOfUntrained(names: readonly string[]): void {
  if (names.length === 0) return;
  const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
  console.warn(
    `Trainer: the loss uses ${names.length} trainable variables that are not in parameters, so they stay as they are: ${shown}. ` +
      'Add them with namedWeights({ encoder, head }), or freeze them: `layer.trainable = false`.',
  );
}
