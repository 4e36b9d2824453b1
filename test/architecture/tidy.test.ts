import { describe, expect, test } from 'vitest';
import { aTree, repositoryTree } from './source-tree.ts';
import {
  brokenLinks,
  defaultExports,
  machinePaths,
  offTheMap,
  openNotes,
  registryHosts,
  tooBigFiles,
  tooLongFiles,
  untidyDecisions,
  untidyNames,
  unusedExports,
} from './tidy-rules.ts';

const rules = {
  brokenLinks,
  defaultExports,
  machinePaths,
  offTheMap,
  openNotes,
  registryHosts,
  tooBigFiles,
  tooLongFiles,
  unusedExports,
  untidyDecisions,
  untidyNames,
};

describe('this repository is tidy', () => {
  const repository = repositoryTree();

  test.each(Object.entries(rules))('%s: none', (_name, violations) => {
    expect(violations(repository)).toEqual([]);
  });
});

describe('what is untidy is found', () => {
  test('names that are not in kebab-case or say nothing', () => {
    const tree = aTree({
      'agent/src/boardName.ts': '',
      'agent/src/utils/a.ts': '',
      'agent/src/task-manager.ts': '',
      'agent/src/work/task-runner.test.ts': '',
      'README.md': '',
    });
    expect(untidyNames(tree)).toEqual([
      'agent/src/boardName.ts: boardName.ts is not in kebab-case',
      'agent/src/utils/a.ts: utils says nothing',
      'agent/src/task-manager.ts: manager says nothing',
    ]);
  });

  test('files that are too long', () => {
    const tree = aTree({ 'agent/src/a.ts': 'x;\n'.repeat(501), 'agent/src/b.ts': 'x;\n'.repeat(500) });
    expect(tooLongFiles(tree)).toEqual(['agent/src/a.ts has 501 lines, the most is 500']);
  });

  test('default exports in every form, but for a tool’s configuration', () => {
    const tree = aTree({
      'agent/src/a.ts': 'export default 1;',
      'agent/src/b.ts': 'export default function f() {}',
      'agent/src/c.ts': 'const x = 1; export { x as default };',
      'agent/src/d.ts': `import x from 'x'; export { x };`,
      'vitest.config.ts': 'export default {};',
    });
    expect(defaultExports(tree).map((line) => line.split(' ')[0])).toEqual([
      'agent/src/a.ts',
      'agent/src/b.ts',
      'agent/src/c.ts',
    ]);
  });

  test('exports that no other file uses', () => {
    const tree = aTree({
      'agent/src/a/index.ts': `export { alone, passedOn, used } from './a.ts';`,
      'agent/src/a/a.ts': `
        export const alone = 1, used = alone;
        export function passedOn() {}
        export class Shown {}
        export interface Shape { readonly x: number }
        function inside() {}`,
      'agent/test/a.test.ts': `import { used } from '@shoal/agent'; import * as a from './a.ts'; a.Shown`,
    });
    expect(unusedExports(tree)).toEqual([
      'agent/src/a/a.ts exports alone, which no other file uses',
      'agent/src/a/a.ts exports passedOn, which no other file uses',
    ]);
  });

  test('notes to do something later', () => {
    // Put together, or this file would be found.
    const note = ['TO', 'DO'].join('');
    const tree = aTree({
      'docs/a.md': `fine\n${note}: write`,
      'agent/src/a.ts': `// ${['FIX', 'ME'].join('')}`,
      'a.ts': 'methodical',
    });
    expect(openNotes(tree)).toEqual([
      'docs/a.md:2 is a note for later: open an issue',
      'agent/src/a.ts:1 is a note for later: open an issue',
    ]);
  });

  test('paths of one machine, and no routes or relative paths', () => {
    const home = ['', 'home', 'ann', 'shoal'].join('/');
    const tree = aTree({
      'docs/a.md': `run it in ${home}`,
      'scripts/a.ts': `const folder = '${['', 'work', 'main'].join('/')}';`,
      'docs/b.md': 'GET https://host/work/1 and ../shared/work/x, $HOME/work/x, `v1/work/`',
    });
    expect(machinePaths(tree)).toEqual([
      'docs/a.md:1 names a path of one machine',
      'scripts/a.ts:1 names a path of one machine',
    ]);
  });

  test('a registry in the lock file', () => {
    const packages = { a: { resolved: 'https://registry.example/a.tgz' }, b: { resolved: 'protocol' }, c: {} };
    expect(registryHosts(aTree({ 'package-lock.json': JSON.stringify({ packages }) }))).toEqual([
      'package-lock.json names the registry of a',
    ]);
  });

  test('links of documents to files that are not there', () => {
    const tree = aTree({
      'docs/a.md': '[a](b.md#part) [b](../agent) [c](../agent/src/) [d](https://host/x) [e](#here) [f](gone.md)',
      'docs/b.md': '',
      'agent/src/c.ts': '',
    });
    expect(brokenLinks(tree)).toEqual(['docs/a.md links to gone.md, which is not there']);
  });

  test('features that are not on the map, and the other way round', () => {
    const tree = aTree({
      'ARCHITECTURE.md': 'see `agent/src/work` and `agent/src/gone`; `agent/src/outbox/outbox.ts` is a file',
      'agent/src/work/work.ts': '',
      'agent/src/outbox/outbox.ts': '',
      'agent/src/main.ts': '',
      'agent/test/work/work.test.ts': '',
    });
    expect(offTheMap(tree)).toEqual([
      'agent/src/outbox is not on the map',
      'the map names agent/src/gone, which is not there',
    ]);
  });

  test('files that are too big for git', () => {
    const tree = aTree({ 'models/big.bin': 'x'.repeat(524_289), 'models/fits.bin': 'x'.repeat(524_288) });
    expect(tooBigFiles(tree)).toEqual(['models/big.bin has 524289 bytes, the most is 524288']);
  });

  test('decisions without a number, with a gap, or with another heading', () => {
    const tree = aTree({
      'docs/decisions/0001-node.md': '# 0001. Node\n',
      'docs/decisions/0003-linter.md': '# 0003. Linter\n',
      'docs/decisions/0004-other.md': '# Other\n',
      'docs/decisions/Notes.md': '',
    });
    expect(untidyDecisions(tree)).toEqual([
      'docs/decisions/0003-linter.md should have the number 0002',
      'docs/decisions/0004-other.md should have the number 0003',
      'docs/decisions/Notes.md is not called NNNN-title.md',
    ]);
    expect(untidyDecisions(aTree({ 'docs/decisions/0001-a.md': '# A\n' }))).toHaveLength(1);
  });
});
