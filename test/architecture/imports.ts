import { posix } from 'node:path';
import ts from 'typescript';
import type { SourceTree } from './source-tree.ts';

export interface Import {
  /** As written: `./a.ts`, `node:fs`, `@shoal/protocol/real`. */
  readonly specifier: string;
  /** Names that are taken, for `import { a, type B }`; empty for the forms that take the whole module. */
  readonly names: readonly string[];
  readonly line: number;
}

/** Several rules ask the same of each file. */
const known = new WeakMap<ts.SourceFile, readonly Import[]>();

/** Everything a file imports: `import`, `export … from`, `import()`, `import('…')` types, `require` and `….resolve('…')`. */
export function importsOf(tree: SourceTree, path: string): readonly Import[] {
  const source = tree.source(path);
  const found = known.get(source) ?? findImports(source);
  known.set(source, found);
  return found;
}

function findImports(source: ts.SourceFile): readonly Import[] {
  const found: Import[] = [];
  const add = (literal: ts.Node | undefined, names: readonly string[] = []) => {
    if (!literal || !ts.isStringLiteralLike(literal)) return;
    const line = source.getLineAndCharacterOfPosition(literal.getStart(source)).line + 1;
    found.push({ specifier: literal.text, names, line });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, namesOf(node.importClause?.namedBindings));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, namesOf(node.exportClause));
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    else if (ts.isExternalModuleReference(node)) add(node.expression);
    else if (ts.isCallExpression(node) && loadsModule(node.expression)) add(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function namesOf(bindings: ts.NamedImportBindings | ts.NamedExportBindings | undefined): string[] {
  if (!bindings || !(ts.isNamedImports(bindings) || ts.isNamedExports(bindings))) return [];
  return bindings.elements.map((element) => (element.propertyName ?? element.name).text);
}

/** `import(…)`, `require(…)`, and `import.meta.resolve(…)` or `createRequire(…).resolve(…)`. */
function loadsModule(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return callee.text === 'require';
  if (!ts.isPropertyAccessExpression(callee) || callee.name.text !== 'resolve') return false;
  const owner = callee.expression;
  return ts.isMetaProperty(owner) || (ts.isIdentifier(owner) ? owner.text === 'require' : ts.isCallExpression(owner));
}

export function isRelative(specifier: string): boolean {
  return specifier.startsWith('.');
}

/** The path, from the root, that a relative import means. */
export function resolveRelative(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier));
}

/** `@scope/name` or `name`, without what follows; `node:` modules stay whole. */
export function packageNameOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
