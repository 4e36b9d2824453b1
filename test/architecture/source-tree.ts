import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** The files that are or would be committed, by path from the root. The rules see nothing else, so a test can make one up. */
export interface SourceTree {
  readonly paths: readonly string[];
  sizeBytes(path: string): number;
  text(path: string): string;
  /** The parsed file; TypeScript and JavaScript only. */
  source(path: string): ts.SourceFile;
}

const root = join(import.meta.dirname, '../..');

/** This repository: tracked files, and new ones that git does not ignore. */
export function repositoryTree(): SourceTree {
  const git = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', git, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
  const sizes = new Map(
    listed.flatMap((path) => {
      const stat = statSync(join(root, path), { throwIfNoEntry: false });
      return stat?.isFile() ? [[path, stat.size] as const] : []; // a file that was deleted and not committed yet
    }),
  );
  return treeOf(
    [...sizes.keys()].sort(),
    (path) => readFileSync(join(root, path), 'utf8'),
    (path) => sizes.get(path) ?? 0,
  );
}

/** A tree made of these files: `aTree({ 'protocol/src/a.ts': 'export {}' })`. */
export function aTree(files: Readonly<Record<string, string>>): SourceTree {
  const text = (path: string) => files[path] ?? '';
  return treeOf(Object.keys(files), text, (path) => Buffer.byteLength(text(path)));
}

function treeOf(
  paths: readonly string[],
  text: (path: string) => string,
  sizeBytes: (path: string) => number,
): SourceTree {
  const texts = new Map<string, string>();
  const textOf = (path: string) => {
    const known = texts.get(path) ?? text(path);
    texts.set(path, known);
    return known;
  };
  return { paths, text: textOf, sizeBytes, source: (path) => parsed(path, textOf(path)) };
}

/** To parse the repository takes a second: the tests of all rules share what was parsed. */
const sources = new Map<string, ts.SourceFile>();

function parsed(path: string, text: string): ts.SourceFile {
  const known = sources.get(path);
  if (known?.text === text) return known;
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  sources.set(path, source);
  return source;
}

/** Code by people: TypeScript and JavaScript that is not generated. */
export function codePaths(tree: SourceTree): string[] {
  return tree.paths.filter((path) => /\.[cm]?[jt]s$/.test(path) && !/(^|\/)(generated|fixtures)\//.test(path));
}

/** The first folder of a path: its workspace, or `scripts`. */
export function workspaceOf(path: string): string {
  return path.split('/', 1)[0] ?? '';
}
