export {
  type ArgumentError,
  type ArgumentErrorOptions,
  type ArgumentFault,
  argumentError,
  isArgumentError,
  showKind,
  showTensor,
  showValue,
} from './argument-error.ts';
export { checkChoice } from './check-choice.ts';
export { checkNumber, describeRule, type NumberRule, obeys } from './check-number.ts';
