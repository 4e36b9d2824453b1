import { extname } from 'node:path';

/** The file `name` beside the calling module: `.ts` when this runs from the sources, `.js` when it was built. */
export function besideMe(name: string, importMetaUrl: string): URL {
  return new URL(`./${name}${extname(new URL(importMetaUrl).pathname)}`, importMetaUrl);
}

/** Arguments of a child that must find the same files as this process: workspaces by their sources, when this one does. */
export function childArguments(): readonly string[] {
  return process.execArgv.filter((argument) => argument.startsWith('--conditions='));
}
