import { basename, posix } from 'node:path';
import ts from 'typescript';
import { emptyNames, longFiles, mostBytesPerFile, mostLinesPerFile } from './rules.ts';
import { codePaths, type SourceTree } from './source-tree.ts';

const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/;

/** Code whose name, or a folder of it, is not in kebab-case or says nothing. */
export function untidyNames(tree: SourceTree): string[] {
  return codePaths(tree).flatMap((path) => {
    const parts = path.split('/').filter((part) => !part.startsWith('.'));
    const notKebab = parts
      .filter((part) => !kebabCase.test(part))
      .map((part) => `${path}: ${part} is not in kebab-case`);
    const words = parts.flatMap((part) => part.split(/[-.]/));
    return [
      ...notKebab,
      ...words.filter((word) => emptyNames.includes(word)).map((word) => `${path}: ${word} says nothing`),
    ];
  });
}

export function tooLongFiles(tree: SourceTree): string[] {
  return codePaths(tree).flatMap((path) => {
    const lines = tree.text(path).trimEnd().split('\n').length;
    if (Object.hasOwn(longFiles, path)) {
      return lines > mostLinesPerFile ? [] : [`${path} has ${lines} lines: take it off longFiles in rules.ts`];
    }
    return lines > mostLinesPerFile ? [`${path} has ${lines} lines, the most is ${mostLinesPerFile}`] : [];
  });
}

/** `export default` in any form; a tool's own configuration file has to have one. */
export function defaultExports(tree: SourceTree): string[] {
  return codePaths(tree)
    .filter((path) => !/\.config\.[cm]?[jt]s$/.test(path) && tree.source(path).statements.some(isDefaultExport))
    .map((path) => `${path} has a default export: give it a name`);
}

function isDefaultExport(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return true;
  if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)) {
    return statement.exportClause.elements.some((element) => element.name.text === 'default');
  }
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  return modifiers.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword);
}

/** Functions, classes and constants that a source exports and no other file names. That an `index.ts` passes one on is no use of it. */
export function unusedExports(tree: SourceTree): string[] {
  const users = new Map<string, Set<string>>();
  for (const path of codePaths(tree)) {
    for (const name of namesIn(tree.source(path))) users.set(name, (users.get(name) ?? new Set()).add(path));
  }
  return codePaths(tree)
    .filter((path) => /^[^/]+\/src\//.test(path))
    .flatMap((path) =>
      valuesExportedBy(tree.source(path))
        .filter((name) => [...(users.get(name) ?? [])].every((user) => user === path))
        .map((name) => `${path} exports ${name}, which no other file uses`),
    );
}

/** Every name in a file, but for those it only passes on: `export { name } from`. */
function namesIn(source: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.add(node.text);
    if (!(ts.isExportDeclaration(node) && node.moduleSpecifier)) ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

function valuesExportedBy(source: ts.SourceFile): string[] {
  return source.statements.flatMap((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) return statement.name?.text ?? [];
    if (!ts.isVariableStatement(statement)) return [];
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? name.text : []));
  });
}

const textFile = /\.(ts|mjs|js|json|md|yml|yaml|proto|c|h|sh|html|css|toml)$|(^|\/)[^.]+$/;

/** Notes to do something later: they belong into an issue. */
export function openNotes(tree: SourceTree): string[] {
  return linesMatching(tree, /\b(TO)(DO)\b|\bFIX(ME)\b|\bX(X)X\b/, 'is a note for later: open an issue');
}

/** Folders of the machine somebody worked on. */
export function machinePaths(tree: SourceTree): string[] {
  return linesMatching(
    tree,
    /(?<![\w.*~}@-])\/(home|Users|root|work)\/[\w.-]+|\b[A-Z]:\\Users\\/,
    'names a path of one machine',
  );
}

/** Addresses of a registry in the lock file: everyone installs from their own. */
export function registryHosts(tree: SourceTree): string[] {
  if (!tree.paths.includes('package-lock.json')) return [];
  const { packages } = JSON.parse(tree.text('package-lock.json')) as {
    packages: Record<string, { resolved?: string }>;
  };
  return Object.entries(packages)
    .filter(([, { resolved }]) => resolved?.startsWith('http'))
    .map(([path]) => `package-lock.json names the registry of ${path}`);
}

function linesMatching(tree: SourceTree, pattern: RegExp, verdict: string): string[] {
  const paths = tree.paths.filter((path) => textFile.test(path) && !/(^|\/)(generated|fixtures)\//.test(path));
  return paths.flatMap((path) => {
    const text = tree.text(path);
    if (!pattern.test(text)) return [];
    return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${verdict}`] : []));
  });
}

export function tooBigFiles(tree: SourceTree): string[] {
  return tree.paths
    .filter((path) => tree.sizeBytes(path) > mostBytesPerFile)
    .map((path) => `${path} has ${tree.sizeBytes(path)} bytes, the most is ${mostBytesPerFile}`);
}

/** Links of documents to files that are not there. */
export function brokenLinks(tree: SourceTree): string[] {
  const there = new Set(tree.paths.flatMap((path) => [path, ...parentsOf(path)]));
  return tree.paths
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) => {
      const targets = [...tree.text(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) =>
        target.replace(/#.*$/, ''),
      );
      return targets
        .filter((target) => target && !/^[a-z]+:/.test(target))
        .filter((target) => !there.has(posix.normalize(posix.join(posix.dirname(path), target)).replace(/\/$/, '')))
        .map((target) => `${path} links to ${target}, which is not there`);
    });
}

/** Features that ARCHITECTURE.md does not name, and features it names that are not there. */
export function offTheMap(tree: SourceTree): string[] {
  const features = new Set(codePaths(tree).flatMap((path) => /^[^/]+\/src\/[^/]+(?=\/)/.exec(path)?.[0] ?? []));
  const text = tree.paths.includes('ARCHITECTURE.md') ? tree.text('ARCHITECTURE.md') : '';
  const named = new Set([...text.matchAll(/`([a-z-]+\/src\/[a-z-]+)`/g)].map(([, name = '']) => name));
  return [
    ...[...features].filter((feature) => !named.has(feature)).map((feature) => `${feature} is not on the map`),
    ...[...named].filter((name) => !features.has(name)).map((name) => `the map names ${name}, which is not there`),
  ];
}

function parentsOf(path: string): string[] {
  const parent = posix.dirname(path);
  return parent === '.' ? [] : [parent, ...parentsOf(parent)];
}

/** Decisions are `NNNN-title.md`, numbered without gaps, and begin with `# NNNN. Title`. */
export function untidyDecisions(tree: SourceTree): string[] {
  const decisions = tree.paths.filter((path) => path.startsWith('docs/decisions/')).sort();
  return decisions.flatMap((path, index) => {
    const [, number] = /^(\d{4})-[a-z0-9]+(-[a-z0-9]+)*\.md$/.exec(basename(path)) ?? [];
    if (!number) return [`${path} is not called NNNN-title.md`];
    if (Number(number) !== index + 1) return [`${path} should have the number ${String(index + 1).padStart(4, '0')}`];
    return tree.text(path).startsWith(`# ${number}. `) ? [] : [`${path} does not begin with "# ${number}. "`];
  });
}
