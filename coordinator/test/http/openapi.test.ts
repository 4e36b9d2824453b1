import { errorCatalogue } from '@shoal/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { type AServer, aServer } from './a-server.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly responses: Readonly<Record<string, { description: string; content?: Record<string, { schema: object }> }>>;
}

let one: AServer;
let document: {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  tags: { name: string }[];
  components: { schemas: Record<string, object> };
};
let operations: { path: string; method: string; operation: Operation }[];

beforeAll(async () => {
  one = await aServer();
  document = (await one.call('GET', '/docs/json')).json;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
});

describe('the OpenAPI document', () => {
  test('is of version 3.1 and has every route that is served', () => {
    expect(document.openapi).toBe('3.1.0');
    const routes = one.server.app.printRoutes({ commonPrefix: false, includeHooks: false });
    const served = new Set(routesOf(routes).filter((path) => /^\/(v1|metrics)/.test(path)));
    const documented = new Set(Object.keys(document.paths).map((path) => path.replace(/\{(\w+)\}/g, ':$1')));
    expect(served.size).toBeGreaterThan(15);
    expect([...served].filter((path) => !documented.has(path))).toEqual([]);
  });

  test('names each operation once, with a sentence and a known tag', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = new Set(document.tags.map(({ name }) => name));
    for (const { operation } of operations) {
      expect(operation.summary).toMatch(/^[A-Z]/);
      expect(operation.tags.every((tag) => tags.has(tag))).toBe(true);
    }
  });

  test('documents only errors of the catalogue, each under its own status', () => {
    let seen = 0;
    for (const { operation } of operations) {
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        for (const [, code = ''] of description.matchAll(/urn:shoal:error:([a-z.-]+)/g)) {
          seen += 1;
          expect(errorCatalogue).toHaveProperty([code]);
          expect(String(errorCatalogue[code as keyof typeof errorCatalogue].http)).toBe(status);
          expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
        }
      }
    }
    expect(seen).toBeGreaterThan(100);
  });

  test('has every schema that it refers to', () => {
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
    const names = new Set([...references].map(([, name]) => name));
    expect(names).toContain('Problem');
    for (const name of names) expect(document.components.schemas).toHaveProperty([name ?? '']);
  });
});

/** Full paths of Fastify's tree of routes. */
function routesOf(tree: string): string[] {
  const parents: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part, methods] = /^([│ ]*)(?:├── |└── )(\S*?)(?: \((.*)\))?$/.exec(line) ?? [];
    if (part === undefined) return [];
    const depth = indent.length / 4;
    parents.splice(depth, parents.length, part);
    return methods ? [parents.slice(0, depth + 1).join('')] : [];
  });
}
