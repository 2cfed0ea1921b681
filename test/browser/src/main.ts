// The page: asks a web worker, or itself, for what `train(question, where)` is called with.
import { type Answer, answer, type Question } from './answer.ts';

function inWorker(question: Question): Promise<Answer> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve({ error: `the worker could not be started: ${message}` });
    worker.postMessage(question);
  });
}

Object.assign(globalThis, {
  train: (question: Question, where: 'worker' | 'page') => (where === 'worker' ? inWorker(question) : answer(question)),
});
document.title = 'ready';
