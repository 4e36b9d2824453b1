import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Page } from '../../src/http/index.ts';
import { aServer } from './a-server.ts';

const script = Buffer.from('console.log("shoal");'.repeat(50));
const page: Page = new Map([
  ['/', { mediaType: 'text/html; charset=utf-8', etag: '"one"', immutable: false, bytes: Buffer.from('<p>Shoal') }],
  [
    '/assets/a-1.js',
    {
      ...{ mediaType: 'text/javascript; charset=utf-8', etag: '"two"', immutable: true, bytes: script },
      ...{ br: brotliCompressSync(script), gzip: gzipSync(script) },
    },
  ],
]);

describe('the page', async () => {
  const { inject } = await aServer({}, { page });

  test('is answered to anybody, and runs nothing that is not its own', async () => {
    const answer = await inject({ url: '/' });
    expect([answer.statusCode, answer.body]).toEqual([200, '<p>Shoal']);
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain('unsafe');
    expect(answer.headers['cache-control']).toBe('no-cache');
  });

  test.each([
    ['br, gzip', 'br', page.get('/assets/a-1.js')?.br],
    ['gzip', 'gzip', page.get('/assets/a-1.js')?.gzip],
    ['br;q=0, gzip', 'gzip', page.get('/assets/a-1.js')?.gzip],
    ['identity', undefined, script],
  ])(
    'comes compressed as it was built to who takes %s, and need never be asked for again',
    async (accepted, encoding, bytes) => {
      const answer = await inject({ url: '/assets/a-1.js', headers: { 'accept-encoding': accepted } });
      expect(answer.headers['content-encoding']).toBe(encoding);
      expect(answer.rawPayload).toEqual(bytes);
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    },
  );

  test('is not sent again to who has it', async () => {
    const answer = await inject({ url: '/', headers: { 'if-none-match': 'W/"x", "one"' } });
    expect([answer.statusCode, answer.body]).toEqual([304, '']);
  });

  test('has no other files', async () => {
    for (const url of ['/assets/b.js', '/icon.svg']) {
      expect([url, (await inject({ url })).statusCode]).toEqual([url, 404]);
    }
  });
});

test('a page that was not built says what to run', async () => {
  const { inject } = await aServer();
  const answer = await inject({ url: '/' });
  expect(answer.statusCode).toBe(503);
  expect(answer.body).toContain('npm run prepare:all');
});
