import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { asShoalError, type Logger, ShoalError } from '@shoal/protocol';
import type { ModelManifest } from '../manifest.ts';
import { parseManifest } from '../parse-manifest.ts';
import { catalogueManifests } from '../shipped/index.ts';

const mostFiles = 256;
/** Twice what the longest list of labels takes. */
const mostBytes = 8 << 20;

/**
 * The models that come with Shoal, then a user's own: every `*.json` of the folder is one manifest, and takes the place of a shipped one of the same
 * name. What is no manifest is left out, and the log says which file, which field and why; the rest is there all the same.
 */
export function knownManifests(directory: string, logger: Logger): readonly ModelManifest[] {
  const own = new Map<string, { readonly manifest: ModelManifest; readonly file: string }>();
  for (const [index, file] of manifestFiles(directory, logger).entries()) {
    try {
      if (index >= mostFiles) throw new ShoalError('model.manifest', `there are more than ${mostFiles} in its folder`);
      const manifest = readManifest(file);
      const first = own.get(manifest.name);
      if (first) throw new ShoalError('model.manifest', `manifest.name: ${first.file} is called ${manifest.name} too`);
      own.set(manifest.name, { manifest, file });
    } catch (error) {
      logger.error('a manifest is left out', { file, why: asShoalError(error).message });
    }
  }
  const shipped = catalogueManifests.filter(({ name }) => !own.has(name));
  return [...shipped, ...Array.from(own.values(), ({ manifest }) => manifest)];
}

function manifestFiles(directory: string, logger: Logger): readonly string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
    return names.sort().map((name) => join(directory, name));
  } catch (error) {
    // Most users have none.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      logger.error('the folder of your manifests cannot be read', { directory, why: asShoalError(error).message });
    return [];
  }
}

function readManifest(file: string): ModelManifest {
  const { size } = statSync(file);
  if (size > mostBytes) throw new ShoalError('model.manifest', `it has ${size} bytes, more than ${mostBytes}`);
  return parseManifest(parseJson(readFileSync(file, 'utf8')));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ShoalError('model.manifest', `it is not JSON: ${(cause as Error).message}`, {}, { cause });
  }
}
