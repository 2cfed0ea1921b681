// `node scripts/check-tests.mjs`: type-checks the tests, and finds what lets a test pass without a check: a promise that nothing waits
// for, a bare `return`, and a skip that gives no reason. Biome has a rule for promises, but cannot follow types from package to package.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (diagnostic) => report([diagnostic]) };
const { fileNames, options } = ts.getParsedCommandLineOfConfigFile(`${root}/tsconfig.test.json`, {}, host);
const program = ts.createProgram(fileNames, options);
const checker = program.getTypeChecker();

/** Prints what the compiler says. */
function report(diagnostics) {
  if (diagnostics.length === 0) return;
  process.exitCode = 1;
  const format = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => root, getNewLine: () => '\n' };
  process.stderr.write(ts.formatDiagnostics(diagnostics, format));
}

/** Prints what is wrong with a node. */
function complain(node, what) {
  process.exitCode = 1;
  const file = node.getSourceFile();
  const { line, character } = file.getLineAndCharacterOfPosition(node.getStart());
  process.stderr.write(`${relative(root, file.fileName)}(${line + 1},${character + 1}): ${what}\n`);
}

const isPromise = (type) =>
  type.isUnion() ? type.types.some(isPromise) : !(type.flags & ts.TypeFlags.Any) && !!type.getProperty('then');
const isAssignment = (node) =>
  ts.isBinaryExpression(node) &&
  node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
  node.operatorToken.kind <= ts.SyntaxKind.LastAssignment;
const returnTypes = (type) =>
  (type.isUnion() ? type.types : [type])
    .flatMap((part) => checker.getSignaturesOfType(part, ts.SignatureKind.Call))
    .map((signature) => checker.getReturnTypeOfSignature(signature));

/** An asynchronous callback of a function that takes it for a synchronous one, such as `forEach`. */
function checkCallbacks(call) {
  const parameters = checker.getResolvedSignature(call)?.parameters ?? [];
  for (const [i, argument] of call.arguments.entries()) {
    const parameter = parameters[Math.min(i, parameters.length - 1)];
    if (!parameter || !(ts.isArrowFunction(argument) || ts.isFunctionExpression(argument))) continue;
    const wanted = returnTypes(checker.getTypeOfSymbolAtLocation(parameter, call));
    const isVoid = wanted.length > 0 && wanted.every(({ flags }) => flags & ts.TypeFlags.Void);
    if (isVoid && returnTypes(checker.getTypeAtLocation(argument)).some(isPromise)) {
      complain(argument, `\`${call.expression.getText()}\` does not wait for the promise that this function returns.`);
    }
  }
}

/** The name of what is called first in `it(...)`, `it.each(...)(...)`, `it.skipIf(...).for(...)(...)`. */
function calledFirst(expression) {
  if (ts.isIdentifier(expression)) return expression.text;
  return ts.isCallExpression(expression) || ts.isPropertyAccessExpression(expression)
    ? calledFirst(expression.expression)
    : null;
}

/** A `return` without a value, by which a test ends early and counts as passed. Functions within the test may return. */
function checkReturns(node) {
  if (ts.isReturnStatement(node) && !node.expression) {
    complain(
      node,
      'a test that returns counts as passed: `skip(condition, reason)` from its context says why it was left out.',
    );
  }
  ts.forEachChild(node, (child) => {
    if (!ts.isFunctionLike(child)) checkReturns(child);
  });
}

/** A test that is left out without saying why: by `it.skip`, `describe.skipIf` and the like, which take no reason, or by `skip` without one. */
function checkSkips(node) {
  const unnamed = ts.isPropertyAccessExpression(node)
    ? /^(skip|skipIf|runIf|todo)$/.test(node.name.text) && /^(it|test|describe|suite)$/.test(calledFirst(node) ?? '')
    : isSkip(node) && !isText(node.arguments.at(-1));
  if (unnamed) {
    const how = '`skip(condition, reason)` from the context of the test or of `beforeEach`';
    complain(node, `a test is left out without a reason: use ${how}.`);
  }
}

const isSkip = ({ expression }) =>
  /\bskip$/.test(expression.getText()) &&
  !!checker.getTypeAtLocation(expression).symbol?.declarations?.some(isOfVitest);
const isOfVitest = (node) => node.getSourceFile().fileName.includes('/@vitest/');
const isText = (node) => !!node && checker.isTypeAssignableTo(checker.getTypeAtLocation(node), checker.getStringType());

function visit(node) {
  if (ts.isExpressionStatement(node)) {
    const { expression } = node;
    if (!isAssignment(expression) && isPromise(checker.getTypeAtLocation(expression))) {
      complain(node, 'nothing waits for this promise: `await` it.');
    }
  }
  if (ts.isCallExpression(node) || ts.isPropertyAccessExpression(node)) checkSkips(node);
  if (ts.isCallExpression(node)) {
    checkCallbacks(node);
    if (/^(it|test)$/.test(calledFirst(node.expression) ?? '')) {
      for (const argument of node.arguments) if (ts.isFunctionLike(argument)) checkReturns(argument);
    }
    const [value] = node.arguments;
    const isExpect = ts.isIdentifier(node.expression) && node.expression.text === 'expect';
    const handlesPromise =
      ts.isPropertyAccessExpression(node.parent) && /^(resolves|rejects)$/.test(node.parent.name.text);
    if (isExpect && value && !handlesPromise && isPromise(checker.getTypeAtLocation(value))) {
      complain(value, 'a promise is compared instead of its value: `await` it.');
    }
  }
  ts.forEachChild(node, visit);
}

report(ts.getPreEmitDiagnostics(program));
for (const fileName of fileNames) visit(program.getSourceFile(fileName));
