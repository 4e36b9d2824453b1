import { isBuiltin } from 'node:module';
import { matchesGlob } from 'node:path';
import ts from 'typescript';
import { importsOf, isRelative, packageNameOf } from './imports.ts';
import { packageOwners, usedWithoutImport } from './rules.ts';
import { codePaths, type SourceTree, workspaceOf } from './source-tree.ts';

interface Manifest {
  readonly files?: readonly string[];
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * Imports of packages that the nearest package.json does not name. What ships may not lean on development packages, but for a bundled
 * workspace: it carries those (docs/decisions/0013). What crosses workspaces and never ships (test, scripts) may use whatever a package.json of the repository names.
 */
export function undeclaredImports(tree: SourceTree): string[] {
  const rootManifest = manifestAt(tree, 'package.json');
  const anywhere = Object.assign({}, ...manifestPaths(tree).map((path) => declaredBy(manifestAt(tree, path))));
  return codePaths(tree).flatMap((path) => {
    const own = manifestAt(tree, `${workspaceOf(path)}/package.json`);
    const carried = isBundled(own) ? own.devDependencies : {};
    const shipped = { ...own.dependencies, ...own.optionalDependencies, ...own.peerDependencies, ...carried };
    const ships = /^[^/]+\/(src|bin)\//.test(path);
    const development = { ...shipped, ...own.devDependencies, ...declaredBy(rootManifest) };
    const allowed = /^(test|scripts)\//.test(path) ? anywhere : ships ? shipped : development;
    return externalImports(tree, path)
      .filter(({ name }) => name !== own.name && !Object.hasOwn(allowed, name))
      .map(({ name, line }) => `${path}:${line} imports ${name}, which its package.json does not name`);
  });
}

/**
 * Dependencies that no file of the workspace uses (of the root: no file at all), nor of those that a bundled one carries.
 * A workspace without any code has not begun.
 */
export function unusedDependencies(tree: SourceTree): string[] {
  return manifestPaths(tree).flatMap((path) => {
    const folder = path === 'package.json' ? '' : `${workspaceOf(path)}/`;
    if (folder && hasNotBegun(tree, folder)) return [];
    const folders = [folder, ...carriedWorkspaces(manifestAt(tree, path))];
    const used = new Set(
      codePaths(tree)
        .filter((code) => folders.some((one) => code.startsWith(one)))
        .flatMap((code) => packagesNamed(tree, code)),
    );
    return Object.keys(declaredBy(manifestAt(tree, path)))
      .filter((name) => !used.has(name) && !Object.hasOwn(usedWithoutImport, name))
      .map((name) => `${path} names ${name}, which nothing uses`);
  });
}

/** Packages that are imported outside of the folder that owns them, or that no folder owns. */
export function strayPackages(tree: SourceTree): string[] {
  const sources = codePaths(tree).filter((path) => /^[^/]+\/src\//.test(path));
  return sources.flatMap((path) =>
    importsOf(tree, path).flatMap(({ specifier, line }) => {
      const name = packageNameOf(specifier);
      if (isRelative(name) || name.startsWith('@shoal/')) return [];
      const owners = Object.entries(packageOwners).find(([glob]) => matchesGlob(name, glob))?.[1];
      if (!owners) return isBuiltin(name) ? [] : [`${path}:${line} imports ${name}: rules.ts names no owner for it`];
      if (owners.some((glob) => matchesGlob(path, glob))) return [];
      return [`${path}:${line} imports ${name}: only ${owners.join(', ')} may`];
    }),
  );
}

function externalImports(tree: SourceTree, path: string): { name: string; line: number }[] {
  return importsOf(tree, path)
    .filter(({ specifier }) => !isRelative(specifier) && !isBuiltin(specifier))
    .map(({ specifier, line }) => ({ name: packageNameOf(specifier), line }));
}

/** Packages that a file imports or names in a string (a plug-in, a binary that is resolved, a worker's module). */
function packagesNamed(tree: SourceTree, path: string): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) names.push(packageNameOf(node.text));
    ts.forEachChild(node, visit);
  };
  visit(tree.source(path));
  return names;
}

/** Whether it packs as one program with everything in it that is not installed beside it. */
function isBundled(manifest: Manifest): boolean {
  return manifest.files?.includes('bundle') === true;
}

/** Sources of the workspaces that are in the bundle of this one. */
function carriedWorkspaces(manifest: Manifest): string[] {
  const names = isBundled(manifest) ? Object.keys(manifest.devDependencies ?? {}) : [];
  return names.filter((name) => name.startsWith('@shoal/')).map((name) => `${name.replace('@shoal/', '')}/src/`);
}

function hasNotBegun(tree: SourceTree, folder: string): boolean {
  return codePaths(tree)
    .filter((path) => path.startsWith(folder))
    .every((path) => tree.text(path).trim() === 'export {};');
}

function manifestPaths(tree: SourceTree): string[] {
  return tree.paths.filter((path) => /^([^/]+\/)?package\.json$/.test(path));
}

function declaredBy(manifest: Manifest): Readonly<Record<string, string>> {
  return { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies };
}

function manifestAt(tree: SourceTree, path: string): Manifest {
  return tree.paths.includes(path) ? (JSON.parse(tree.text(path)) as Manifest) : {};
}
