import { describe, expect, test } from 'vitest';
import { strayPackages, undeclaredImports, unusedDependencies } from './package-rules.ts';
import { aTree, repositoryTree } from './source-tree.ts';

const repository = repositoryTree();
const manifest = (fields: Record<string, unknown>) => JSON.stringify(fields);

describe('what is imported is declared', () => {
  test('in this repository', () => {
    expect(undeclaredImports(repository)).toEqual([]);
  });

  test('a package that only another workspace, or only development, has is found', () => {
    const tree = aTree({
      'package.json': manifest({ devDependencies: { vitest: '1' } }),
      'agent/package.json': manifest({
        name: '@shoal/agent',
        dependencies: { mqtt: '1' },
        optionalDependencies: { '@a/b': '1' },
      }),
      'coordinator/package.json': manifest({ name: '@shoal/coordinator' }),
      'agent/src/a.ts': `import 'mqtt/lib'; import 'node:fs'; import '@a/b/c'; import '@shoal/agent/x'; import './b.ts';`,
      'coordinator/src/a.ts': `import type { Mqtt } from 'mqtt';`,
      'coordinator/src/b.ts': `import { test } from 'vitest';`,
      'coordinator/test/b.test.ts': `import { test } from 'vitest';`,
      'scripts/c.ts': `import 'mqtt'; import 'left-pad';`,
    });
    expect(undeclaredImports(tree)).toEqual([
      'coordinator/src/a.ts:1 imports mqtt, which its package.json does not name',
      'coordinator/src/b.ts:1 imports vitest, which its package.json does not name',
      'scripts/c.ts:1 imports left-pad, which its package.json does not name',
    ]);
  });
});

describe('a bundled workspace', () => {
  const agent = {
    name: '@shoal/agent',
    dependencies: { sharp: '1', aedes: '1' },
    devDependencies: { '@shoal/models': '1', mqtt: '1' },
  };
  const treeOf = (files: readonly string[]) =>
    aTree({
      'agent/package.json': manifest({ ...agent, files }),
      'agent/src/a.ts': `import '@shoal/models'; import 'mqtt'; import 'left-pad';`,
      'models/package.json': manifest({ dependencies: { sharp: '1' } }),
      'models/src/index.ts': `import 'sharp';`,
    });

  test('may import what it carries, and names what the workspaces in it need', () => {
    const bundled = treeOf(['bin', 'bundle']);
    expect(undeclaredImports(bundled)).toEqual([
      'agent/src/a.ts:1 imports left-pad, which its package.json does not name',
    ]);
    expect(unusedDependencies(bundled)).toEqual(['agent/package.json names aedes, which nothing uses']);
  });

  test('is no other one', () => {
    const library = treeOf(['dist']);
    expect(undeclaredImports(library)).toHaveLength(3);
    expect(unusedDependencies(library)).toHaveLength(2);
  });
});

describe('what is declared is used', () => {
  test('in this repository', () => {
    expect(unusedDependencies(repository)).toEqual([]);
  });

  test('a dependency that nothing imports or names is found', () => {
    const tree = aTree({
      'package.json': manifest({ devDependencies: { vitest: '1', 'left-pad': '1' } }),
      'agent/package.json': manifest({
        dependencies: { mqtt: '1', aedes: '1' },
        optionalDependencies: { '@f/ffmpeg': '1' },
      }),
      'agent/src/a.ts': `import 'mqtt'; const binary = find('@f/ffmpeg/bin');`,
      'simulations/package.json': manifest({ dependencies: { mqtt: '1' } }),
      'simulations/src/index.ts': 'export {};\n',
      'coordinator/src/a.ts': `import 'aedes';`,
      'coordinator/test/a.test.ts': `import 'vitest';`,
    });
    expect(unusedDependencies(tree)).toEqual([
      'package.json names left-pad, which nothing uses',
      'agent/package.json names aedes, which nothing uses',
    ]);
  });
});

describe('a package has one owner', () => {
  test('in this repository', () => {
    expect(strayPackages(repository)).toEqual([]);
  });

  test('a package outside of its folder, or without an owner, is found; tests may use any', () => {
    const tree = aTree({
      'protocol/src/link/mqtt/a.ts': `import mqtt from 'mqtt'; import 'node:crypto';`,
      'protocol/src/link/b.ts': `import mqtt from 'mqtt';`,
      'agent/src/c.ts': `import { DatabaseSync } from 'node:sqlite'; import 'left-pad';`,
      'coordinator/src/store/sqlite/d.ts': `import { DatabaseSync } from 'node:sqlite';`,
      'coordinator/src/http/e.ts': `import swagger from '@fastify/swagger'; import '@shoal/protocol';`,
      'coordinator/test/f.test.ts': `import mqtt from 'mqtt';`,
    });
    expect(strayPackages(tree)).toEqual([
      'protocol/src/link/b.ts:1 imports mqtt: only protocol/src/link/mqtt/**, coordinator/src/announce/real/** may',
      'agent/src/c.ts:1 imports node:sqlite: only */src/store/sqlite/** may',
      'agent/src/c.ts:1 imports left-pad: rules.ts names no owner for it',
    ]);
  });
});
