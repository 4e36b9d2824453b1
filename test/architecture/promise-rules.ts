import { join } from 'node:path';
import ts from 'typescript';

/**
 * Statements that throw a promise away: neither awaited, nor handed on, nor caught, nor left with `void` on purpose. Biome finds
 * those within a workspace; this one has the compiler's types and sees through the doors of our packages.
 * @param madeUp files that do not exist, by absolute path.
 */
export function floatingPromises(
  root: string,
  paths: readonly string[],
  madeUp: ReadonlyMap<string, string> = new Map(),
): string[] {
  const program = programOf(
    paths.map((path) => join(root, path)),
    madeUp,
  );
  const checker = program.getTypeChecker();
  return paths.flatMap((path) => {
    const source = program.getSourceFile(join(root, path));
    if (!source) return [`${path} is not part of the program`];
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isExpressionStatement(node) && floats(checker, node.expression)) {
        found.push(`${path}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1} a promise floats`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  });
}

/** Workspaces are resolved to their sources, so nothing needs to be built. */
function programOf(rootNames: string[], madeUp: ReadonlyMap<string, string>): ts.Program {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.NodeNext,
    lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    customConditions: ['source'],
    allowImportingTsExtensions: true,
    noEmit: true,
    strict: true,
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (file) => madeUp.has(file) || fileExists(file);
  host.readFile = (file) => madeUp.get(file) ?? readFile(file);
  return ts.createProgram(rootNames, options, host);
}

function floats(checker: ts.TypeChecker, expression: ts.Expression): boolean {
  if (ts.isVoidExpression(expression) || ts.isAwaitExpression(expression) || ts.isBinaryExpression(expression))
    return false;
  if (handlesFailure(expression)) return false;
  const type = checker.getTypeAtLocation(expression);
  const element = checker.getIndexTypeOfType(type, ts.IndexKind.Number);
  return isPromise(type) || (element !== undefined && isPromise(element));
}

/** `….catch(f)`, `….then(f, g)` with a handler for failure, and `….finally(f)` after one of them. */
function handlesFailure(node: ts.Expression): boolean {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  const { name, expression: before } = node.expression;
  if (name.text === 'finally') return handlesFailure(before);
  return name.text === 'catch' || (name.text === 'then' && node.arguments.length > 1);
}

function isPromise(type: ts.Type): boolean {
  if (type.isUnion()) return type.types.some(isPromise);
  return type.getProperty('then') !== undefined && type.getProperty('catch') !== undefined;
}
