import { redactSource, redactText } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('a source that is shown', () => {
  it.each([
    ['rtsp://admin:hunter2@10.0.0.7:554/stream1', 'rtsp://***@10.0.0.7:554/stream1'],
    ['rtsp://:p@h/s', 'rtsp://***@h/s'],
    ['rtsp://token@h/s', 'rtsp://***@h/s'],
    ['rtsp://u:p@ss:w0rd@h/s', 'rtsp://***@h/s'],
    ['rtsp://admin:p@ss/w@10.0.0.7/s', 'rtsp://***@ss/w@10.0.0.7/s'],
    ['rtsp://admin:pass/word@h/s', 'rtsp://***@h/s'],
    ['http://cam/video?user=me&password=hunter2&res=hd#f', 'http://cam/video?user=***&password=***&res=hd#f'],
    ['http://cam/video?res=hd;pwd=a;b&x=1', 'http://cam/video?res=hd;pwd=***&x=1'],
    ['https://cam/live.m3u8?token=abc#t', 'https://cam/live.m3u8?token=***#t'],
    ['rtsp://10.0.0.7/stream', 'rtsp://10.0.0.7/stream'],
    ['/clips/door.mp4', '/clips/door.mp4'],
    ['/clips/a?b=c', '/clips/a?b=c'],
    ['C:\\clips\\a.mp4', 'C:\\clips\\a.mp4'],
  ])('%s is %s', (source, shown) => {
    expect(redactSource(source)).toBe(shown);
  });

  it('never holds the password, whatever it is', () => {
    const password = fc.stringMatching(/^[^/?#\s%\\]{6,20}$/);
    fc.assert(
      fc.property(password, fc.constantFrom('rtsp', 'http', 'https', 'rtmp'), (secret, scheme) => {
        fc.pre(!`${scheme}://***@camera.example/stream`.includes(secret));
        expect(redactSource(`${scheme}://user:${secret}@camera.example/stream`)).not.toContain(secret);
      }),
      { numRuns: 2_000 },
    );
  });

  it('stays as it is when it is shown again', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), (url) => {
        expect(redactSource(redactSource(url))).toBe(redactSource(url));
      }),
    );
  });

  it('takes no longer for one made to be slow', () => {
    const source = `http://h/?${'pass'.repeat(1_000)}`;
    const startMs = performance.now();
    expect(redactSource(source)).toBe(source);
    expect(performance.now() - startMs).toBeLessThan(1_000);
  });
});

describe('what another program says about a source', () => {
  it('never holds the password, in any spelling', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9._~!$*+,;=-]{6,20}$/);
    fc.assert(
      fc.property(word, word, (user, password) => {
        const source = `rtsp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@camera.local/stream`;
        const said = `${source}: 401 Unauthorized (${user}:${password} at ${encodeURIComponent(password)})`;
        const shown = redactText(said, source);
        expect(shown).not.toContain(password);
        expect(shown).not.toContain(encodeURIComponent(password));
      }),
    );
  });

  it('loses the tokens of its parameters too, and nothing else', () => {
    expect(redactText('key a b/c was refused by cam', 'http://cam/live?key=a%20b%2Fc&x=1')).toBe(
      'key *** was refused by cam',
    );
  });
});
