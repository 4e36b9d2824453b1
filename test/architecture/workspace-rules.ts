import { matchesGlob } from 'node:path';
import { importsOf, isRelative, resolveRelative } from './imports.ts';
import { doorOwners, type Workspace, workspaceRules } from './rules.ts';
import { codePaths, type SourceTree, workspaceOf } from './source-tree.ts';

const scope = '@shoal/';

/** Imports of a workspace, or of a door of one, that the table does not allow. */
export function forbiddenWorkspaceImports(tree: SourceTree): string[] {
  return violations(tree, (path, specifier) => {
    const own = workspaceOf(path);
    if (!specifier.startsWith(scope) || !isWorkspace(own)) return undefined;
    const other = specifier.split('/')[1] ?? '';
    if (other === own) return undefined;
    const doors = isWorkspace(other) ? workspaceRules[own][other] : undefined;
    if (!doors) return `${own} may not import ${other}`;
    return doors === 'all' || doors.includes(specifier) ? undefined : `${own} may import only ${doors.join(', ')}`;
  });
}

/** Relative imports that leave their own workspace instead of going through a door. The scripts are no package: they have none. */
export function deepImports(tree: SourceTree): string[] {
  return violations(tree, (path, specifier) => {
    if (!isRelative(specifier)) return undefined;
    const target = workspaceOf(resolveRelative(path, specifier));
    return target === workspaceOf(path) || (target === 'scripts' && workspaceOf(path) === 'test')
      ? undefined
      : `reaches into ${target}: import ${scope}${target} instead`;
  });
}

/** Doors to the world and to the test equipment, used by files that should be handed a port instead. */
export function misusedDoors(tree: SourceTree): string[] {
  return violations(tree, (path, specifier) => {
    const owners = Object.entries(doorOwners).find(([door]) => matchesGlob(specifier, door))?.[1];
    return !owners || owners.some((glob) => matchesGlob(path, glob)) ? undefined : `is only for ${owners.join(', ')}`;
  });
}

/** Relative imports of another feature's inside: a feature is a folder of `src`, its door is an `index.ts`. */
export function importsPastTheDoor(tree: SourceTree): string[] {
  return violations(tree, (path, specifier) => {
    if (!isRelative(specifier)) return undefined;
    const target = resolveRelative(path, specifier);
    const [from, to] = [featureOf(path), featureOf(target)];
    if (!from || !to || from === to || target.endsWith('/index.ts')) return undefined;
    return `goes past the door of ${to}: export it from its index.ts`;
  });
}

/** `protocol/src/link` for what lies in that folder, `protocol/src` for the files beside the folders. Tests are in no feature. */
export function featureOf(path: string): string | undefined {
  const [workspace, src, feature, ...rest] = path.split('/');
  if (src !== 'src' || !feature) return undefined;
  return rest.length > 0 ? `${workspace}/src/${feature}` : `${workspace}/src`;
}

function violations(tree: SourceTree, judge: (path: string, specifier: string) => string | undefined): string[] {
  return codePaths(tree).flatMap((path) =>
    importsOf(tree, path).flatMap(({ specifier, line }) => {
      const verdict = judge(path, specifier);
      return verdict ? [`${path}:${line} imports ${specifier}: ${verdict}`] : [];
    }),
  );
}

function isWorkspace(name: string): name is Workspace {
  return Object.hasOwn(workspaceRules, name);
}
