/** A program of a kernel of TensorFlow.js's backend, as far as it is changed here. */
export interface StockProgram {
  readonly shaderKey: string;
  /** WGSL of the program without what the backend puts before it. */
  getUserCode(): string;
}

const whole = (type: string): string => (type === 'f32' ? 'isnan' : 'isnanVec4');

/** WGSL: a function of one or two numbers under its name, NaN where one of them is; `code` has it under another name. */
function guarded(name: string, own: string, parameters: string, type: string): string {
  const names = parameters.split(',').map((parameter) => parameter.split(':')[0]!.trim());
  const result = names
    .filter((parameter) => parameter !== 'coords')
    .reduce((code, parameter) => `select(${code}, ${parameter}, ${whole(type)}(${parameter}))`, `${own}(${names})`);
  return `fn ${name}(${parameters}) -> ${type} { return ${result}; }`;
}

const functionHead = /fn (unaryOperation|binaryOperation|activation)\(([^)]*)\)\s*->\s*(f32|vec4<f32>)/;

/** WGSL of functions that take the place of built-in ones, by whose results a NaN may get lost. */
const reductions = `
  fn maxOf(a : f32, b : f32) -> f32 { return select(select(max(a, b), b, isnan(b)), a, isnan(a)); }
  fn expOf(a : f32) -> f32 { return select(exp(a), a, isnan(a)); }`;

/**
 * Changes a stock program so that NaN stays NaN: activations, element by element or fused, maxima of windows and softmax.
 *
 * By WGSL `max(NaN, 0)` may be 0, and on some drivers `exp(NaN)` is a number: a training would go on with weights that are spoiled.
 *
 * @param program - a new one, whose text has not been asked for.
 * @param dtype - of its result; tests of numbers, whose result is a bool, stay as they are.
 */
export function keepNaN(program: StockProgram, dtype: string): void {
  if (dtype !== 'float32') return;
  const stock = program.getUserCode.bind(program);
  const reduces = /^(softmax|pool[23]D_max)/i.test(program.shaderKey);
  program.getUserCode = () => {
    const code = stock();
    if (reduces) return reductions + code.replace(/\b(max|exp)\(/g, '$1Of(');
    const [head, name, parameters, type] = code.match(functionHead) ?? [];
    if (!head) return code;
    const own = `${name}OfNumbers`;
    return code.replace(head, head.replace(name!, own)) + guarded(name!, own, parameters!, type!);
  };
}
