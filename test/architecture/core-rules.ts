import { matchesGlob } from 'node:path';
import ts from 'typescript';
import { importsOf } from './imports.ts';
import {
  adapters,
  type Capability,
  capabilityGlobals,
  capabilityImports,
  capabilityModules,
  coreWorkspaces,
} from './rules.ts';
import { codePaths, type SourceTree, workspaceOf } from './source-tree.ts';

/** Uses of time, randomness, files, the network ... by sources that are no adapter for it. */
export function ioInTheCore(tree: SourceTree): string[] {
  return corePaths(tree).flatMap((path) => {
    const allowed = new Set(adapters.filter(({ where }) => matchesGlob(path, where)).flatMap(({ may }) => may));
    return [...importedCapabilities(tree, path), ...globalCapabilities(tree.source(path))]
      .filter(({ capability }) => !allowed.has(capability))
      .map(({ what, capability, line }) => `${path}:${line} uses ${what} (${capability}): hand it in through a port`);
  });
}

interface Use {
  readonly what: string;
  readonly capability: Capability;
  readonly line: number;
}

function corePaths(tree: SourceTree): string[] {
  const workspaces: readonly string[] = coreWorkspaces;
  return codePaths(tree).filter((path) => workspaces.includes(workspaceOf(path)) && path.split('/')[1] === 'src');
}

function importedCapabilities(tree: SourceTree, path: string): Use[] {
  return importsOf(tree, path).flatMap(({ specifier, names, line }): Use[] => {
    const whole = capabilityModules[specifier];
    if (whole) return [{ what: specifier, capability: whole, line }];
    return names.flatMap((name) => {
      const capability = capabilityImports[specifier]?.[name];
      return capability ? [{ what: `${name} of ${specifier}`, capability, line }] : [];
    });
  });
}

function globalCapabilities(source: ts.SourceFile): Use[] {
  const declared = declaredNames(source);
  const uses: Use[] = [];
  const visit = (node: ts.Node): void => {
    const what = globalUsedBy(node, declared);
    const capability = what === undefined ? undefined : capabilityGlobals[what];
    if (what !== undefined && capability) {
      uses.push({ what, capability, line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1 });
    }
    // Types are no use: `typeof fetch` is how a port is described.
    if (!ts.isTypeNode(node)) ts.forEachChild(node, visit);
  };
  visit(source);
  return uses;
}

/** `Date.now`, `new Date`, `setTimeout` ...: what an expression takes from the world; undefined for what the file itself declares. */
function globalUsedBy(node: ts.Node, declared: ReadonlySet<string>): string | undefined {
  if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && isGlobal(node.expression, 'Date', declared)) {
    return ts.isCallExpression(node) || !node.arguments?.length ? 'new Date' : undefined;
  }
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && !declared.has(node.expression.text)) {
    return node.expression.text === 'globalThis' ? node.name.text : `${node.expression.text}.${node.name.text}`;
  }
  return ts.isIdentifier(node) && isExpression(node) && !declared.has(node.text) ? node.text : undefined;
}

function isGlobal(node: ts.Expression, name: string, declared: ReadonlySet<string>): boolean {
  return ts.isIdentifier(node) && node.text === name && !declared.has(name);
}

/** Not the `b` of `a.b`, of `{ b: 1 }` or of a declaration. */
function isExpression({ parent, text }: ts.Identifier): boolean {
  if (ts.isPropertyAccessExpression(parent))
    return ts.isIdentifier(parent.expression) && parent.expression.text === text;
  if (ts.isPropertyAssignment(parent)) return ts.isIdentifier(parent.initializer) && parent.initializer.text === text;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  return !('name' in parent && ts.isIdentifier(parent.name as ts.Node) && (parent.name as ts.Identifier).text === text);
}

/** Every name that the file declares or imports anywhere: a parameter called `fetch` is a port, not the global. */
function declaredNames(source: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const declares =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node) ||
      ts.isImportClause(node) ||
      ts.isNamespaceImport(node) ||
      ts.isBindingElement(node);
    if (declares && node.name && ts.isIdentifier(node.name)) names.add(node.name.text);
    if (!ts.isTypeNode(node)) ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}
