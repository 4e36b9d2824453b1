import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

describe.each([['@shoal/models/manifest'], ['@shoal/models']])('a process that imports %s', (door) => {
  const { packages, models, files } = loadedBy(door);

  it('has the manifests', () => {
    expect(models).toBeGreaterThan(0);
  });

  it('has loaded no package that it has not loaded with the protocol', () => {
    expect(packages).toEqual([]);
  });

  it('has loaded neither an engine’s runtime nor the importer nor a file format', () => {
    expect(files).toContain('manifest/index.ts');
    expect(files.filter((file) => /onnx-format|operators|session|worker|package-entry/.test(file))).toEqual([]);
  });
});

it('a process that imports the manifests has loaded nothing else of the models', () => {
  expect(loadedBy('@shoal/models/manifest').files.filter((file) => !file.startsWith('manifest/'))).toEqual([]);
});

interface Loaded {
  /** npm packages. */
  readonly packages: readonly string[];
  /** Files of `models/src`. */
  readonly files: readonly string[];
  readonly models: number;
}

/** What a fresh process loads for the door, beyond what `@shoal/protocol` has loaded already. */
function loadedBy(door: string): Loaded {
  const script = `
    import { registerHooks } from 'node:module';
    await import('@shoal/protocol');
    const packages = new Set(), files = new Set();
    registerHooks({ load(url, context, next) {
      const [, name] = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
      const [, file] = /\\/models\\/src\\/(.*)/.exec(url) ?? [];
      if (name) packages.add(name);
      if (file) files.add(file);
      return next(url, context);
    } });
    const { catalogueManifests } = await import(${JSON.stringify(door)});
    console.log(JSON.stringify({ packages: [...packages], files: [...files], models: catalogueManifests.length }));`;
  const text = execFileSync(process.execPath, ['--conditions=source', '--input-type=module', '--eval', script], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
  });
  return JSON.parse(text) as Loaded;
}
