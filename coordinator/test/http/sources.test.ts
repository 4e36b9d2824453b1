import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { ShoalError } from '@shoal/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseRange } from '../../src/http/byte-range.ts';
import { createFetchInput } from '../../src/http/index.ts';
import { isPrivateAddress } from '../../src/outbound/real/private-addresses.ts';

describe('an address', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2001::1',
    '[::1]',
  ])('%s is private', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::5'])('%s is not', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });
});

describe('fetching an input', () => {
  const options = { allowPrivateAddresses: true, limitBytes: 1_000, timeoutMs: 2_000 };
  const signal = new AbortController().signal;
  let server: Server;
  let base: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const [, what = '', rest = ''] = /^\/(\w+)\/?(.*)$/.exec(request.url ?? '') ?? [];
      if (what === 'picture') response.setHeader('content-type', 'image/png').end('picture');
      else if (what === 'redirect') response.writeHead(302, { location: decodeURIComponent(rest) }).end();
      else if (what === 'big') response.end(Buffer.alloc(2_000));
      else if (what === 'endless') for (let i = 0; i < 20; i++) response.write(Buffer.alloc(500));
      else if (what === 'cut')
        response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
      else if (what === 'slow') response.write('x');
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  async function fetched(url: string, changes: Partial<typeof options> = {}): Promise<string | ShoalError['code']> {
    try {
      const { content, mediaType } = await createFetchInput({ ...options, ...changes })(url, signal);
      const parts: Uint8Array[] = [];
      for await (const part of content) parts.push(part);
      return `${mediaType} ${Buffer.concat(parts)}`;
    } catch (error) {
      if (error instanceof ShoalError) return error.code;
      throw error;
    }
  }

  test('gives the bytes and what they are, through redirects', async () => {
    expect(await fetched(`${base}/picture`)).toBe('image/png picture');
    expect(await fetched(`${base}/redirect/${encodeURIComponent('/picture')}`)).toBe('image/png picture');
  });

  test('refuses this machine and its network unless it is allowed, and asks nothing of them', async () => {
    let asked = 0;
    server.once('request', () => {
      asked += 1;
    });
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0x7f000001', '2130706433', '127.1']) {
      const url = base.replace('127.0.0.1', host);
      expect(await fetched(`${url}/picture`, { allowPrivateAddresses: false })).toBe('auth.forbidden');
    }
    expect(asked).toBe(0);
    server.removeAllListeners('never');
  });

  test.each([
    ['ftp://example.org/a', 'input.invalid'],
    ['file:///etc/passwd', 'input.invalid'],
    ['http://user:secret@example.org/', 'input.invalid'],
    ['not a url', 'input.invalid'],
  ])('refuses %s', async (url, code) => {
    expect(await fetched(url)).toBe(code);
  });

  test('refuses a redirect to what it would refuse itself, and endless ones', async () => {
    expect(await fetched(`${base}/redirect/${encodeURIComponent('file:///etc/passwd')}`)).toBe('input.invalid');
    let url = '/picture';
    for (let i = 0; i < 5; i++) url = `/redirect/${encodeURIComponent(url)}`;
    expect(await fetched(base + url)).toBe('input.invalid');
  });

  test.each([
    ['a file that says it is too large', 'big', 'input.too-large'],
    ['one that does not say', 'endless', 'input.too-large'],
    ['one that is cut off', 'cut', /input.corrupt|net.unreachable/],
    ['one that is not there', 'nothing', 'input.invalid'],
  ])('%s is an error', async (_what, path, code) => {
    expect(await fetched(`${base}/${path}`)).toMatch(code);
  });

  test('one that never ends is given up, and nobody listening is said', async () => {
    expect(await fetched(`${base}/slow`, { timeoutMs: 100 })).toBe('timeout');
    expect(await fetched('http://127.0.0.1:1/')).toBe('net.unreachable');
  });
});

test('a range never reaches past the bytes there are', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.option(fc.nat(2_000)), fc.option(fc.nat(2_000)), (size, first, last) => {
      let range: ReturnType<typeof parseRange>;
      try {
        range = parseRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
      } catch (error) {
        expect(error).toMatchObject({ code: 'input.invalid' });
        return;
      }
      if (!range) return;
      expect(range.offset).toBeGreaterThanOrEqual(0);
      expect(range.length).toBeGreaterThan(0);
      expect(range.offset + range.length).toBeLessThanOrEqual(size);
    }),
  );
});
