import { describe, expect, test } from 'vitest';
import { featureCycles, fileCycles } from './cycles.ts';
import { aTree, repositoryTree } from './source-tree.ts';
import { deepImports, forbiddenWorkspaceImports, importsPastTheDoor, misusedDoors } from './workspace-rules.ts';

const repository = repositoryTree();

describe('workspaces import what the table allows', () => {
  test('in this repository', () => {
    expect(forbiddenWorkspaceImports(repository)).toEqual([]);
  });

  test.each([
    ['protocol/src/a.ts', '@shoal/models'],
    ['models/src/a.ts', '@shoal/firmware-bridge'],
    ['firmware-bridge/src/a.ts', '@shoal/models'],
    ['agent/src/a.ts', '@shoal/coordinator'],
    ['agent/test/a.test.ts', '@shoal/coordinator'],
    ['coordinator/src/a.ts', '@shoal/agent'],
    ['coordinator/src/a.ts', '@shoal/models'],
    ['agent/src/a.ts', '@shoal/simulations'],
    ['simulations/src/a.ts', '@shoal/test'],
    ['agent/src/a.ts', '@shoal/unheard-of'],
  ])('%s may not import %s', (path, specifier) => {
    for (const code of [
      `import { x } from '${specifier}';`,
      `import type { X } from '${specifier}';`,
      `export * from '${specifier}';`,
      `await import('${specifier}');`,
      `type X = import('${specifier}').X;`,
    ]) {
      expect(forbiddenWorkspaceImports(aTree({ [path]: code })), code).toHaveLength(1);
    }
  });

  test.each([
    ['models/src/a.ts', '@shoal/protocol/real'],
    ['coordinator/src/a.ts', '@shoal/models/manifest'],
    ['agent/src/a.ts', '@shoal/models'],
    ['simulations/src/a.ts', '@shoal/coordinator'],
    ['test/a.test.ts', '@shoal/simulations'],
    ['protocol/test/a.test.ts', '@shoal/protocol/testing'],
  ])('%s may import %s', (path, specifier) => {
    expect(forbiddenWorkspaceImports(aTree({ [path]: `import { x } from '${specifier}';` }))).toEqual([]);
  });

  test('a string or a comment that looks like an import is none', () => {
    const text = `// import { x } from '@shoal/agent';\nconst text = "import x from '@shoal/agent'";`;
    expect(forbiddenWorkspaceImports(aTree({ 'protocol/src/a.ts': text }))).toEqual([]);
  });
});

describe('a workspace is entered through its doors', () => {
  test('in this repository', () => {
    expect(deepImports(repository)).toEqual([]);
  });

  test('a relative import of another workspace is found', () => {
    const tree = aTree({
      'agent/src/work/a.ts': `import { x } from '../../../protocol/src/link/link.ts';`,
      'agent/test/b.test.ts': `import { x } from '../src/work/a.ts';`,
      'test/tooling/c.test.ts': `import { x } from '../../scripts/x.mjs';`,
    });
    expect(deepImports(tree)).toEqual([
      'agent/src/work/a.ts:1 imports ../../../protocol/src/link/link.ts: reaches into protocol: import @shoal/protocol instead',
    ]);
  });
});

describe('the doors to the world and to the test equipment are for few', () => {
  test('in this repository', () => {
    expect(misusedDoors(repository)).toEqual([]);
  });

  test('a core file that takes the real clock, or test equipment, is found', () => {
    const real = `import { systemClock } from '@shoal/protocol/real';`;
    const testing = `import { VirtualClock } from '@shoal/protocol/testing';`;
    const tree = aTree({
      'agent/src/work/a.ts': real,
      'agent/src/main.ts': real,
      'coordinator/src/b.ts': testing,
      'coordinator/test/b.test.ts': testing,
      'simulations/src/world.ts': testing,
    });
    expect(misusedDoors(tree).map((line) => line.split(':')[0])).toEqual([
      'agent/src/work/a.ts',
      'coordinator/src/b.ts',
    ]);
  });
});

describe('a feature is entered through its index.ts', () => {
  test('in this repository', () => {
    expect(importsPastTheDoor(repository)).toEqual([]);
  });

  test('an import of its inside is found, one of its door or of the own inside is not', () => {
    const tree = aTree({
      'protocol/src/link/a.ts': `import { b } from '../identity/key.ts';`,
      'protocol/src/link/c.ts': `import { b } from '../identity/index.ts'; import { d } from './memory/d.ts';`,
      'protocol/src/main.ts': `import { d } from './link/memory/d.ts'; import { e } from './compose.ts';`,
    });
    expect(importsPastTheDoor(tree).map((line) => line.split(' ')[0])).toEqual([
      'protocol/src/link/a.ts:1',
      'protocol/src/main.ts:1',
    ]);
  });
});

describe('nothing imports in a circle', () => {
  test('no files in this repository', () => {
    expect(fileCycles(repository)).toEqual([]);
  });

  test('no features in this repository', () => {
    expect(featureCycles(repository)).toEqual([]);
  });

  test('a circle of files is found, through types and doors too', () => {
    const tree = aTree({
      'protocol/src/a/a.ts': `import type { B } from '../b/index.ts';`,
      'protocol/src/b/index.ts': `export { b } from './b.ts';`,
      'protocol/src/b/b.ts': `import { a } from '../a/a.ts';`,
      'protocol/src/c.ts': `import { a } from './a/a.ts';`,
    });
    expect(fileCycles(tree)).toEqual([
      'protocol/src/a/a.ts -> protocol/src/b/index.ts -> protocol/src/b/b.ts -> protocol/src/a/a.ts',
    ]);
  });

  test('a circle of features whose files form none is found', () => {
    const tree = aTree({
      'agent/src/a/one.ts': `import { x } from '../b/index.ts';`,
      'agent/src/a/index.ts': '',
      'agent/src/b/index.ts': '',
      'agent/src/b/two.ts': `import { x } from '../a/index.ts';`,
      'agent/src/index.ts': `export * from './a/index.ts';`,
    });
    expect(fileCycles(tree)).toEqual([]);
    expect(featureCycles(tree)).toEqual(['agent/src/a -> agent/src/b -> agent/src/a']);
  });
});
