import { describe, expect, it } from 'vitest';
import { aPicture } from '../http/a-picture.ts';
import { aBook, aStart, until } from './a-book.ts';
import { aReceiver, type Received } from './a-receiver.ts';

const never = new AbortController().signal;
const dayMs = 86_400_000;
const trackOf = ({ text }: Received): number => JSON.parse(text).data.track;
const longestPauseMs = 15 * 60_000;

describe('a webhook whose receiver', () => {
  it('fails is tried again, after longer and longer, and then told of everything in order', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, clock, pausing, nextTry } = await aBook();
    await book.create(spec(receiver.url));
    receiver.answer(503);
    for (const number of [1, 2, 3]) tell(aStart(number));
    for (let tries = 1; tries <= 12; tries++) {
      await pausing();
      expect(receiver.got).toHaveLength(tries);
      const mostMs = Math.min(longestPauseMs, 2_000 * 2 ** (tries - 1));
      await clock.advance(mostMs / 2 - 1);
      expect(clock.pending()).toEqual(['webhook: next try']);
      if (tries === 12) receiver.answer(200);
      const fromMs = clock.monotonicMs();
      await nextTry();
      expect(clock.monotonicMs() - fromMs).toBeLessThanOrEqual(mostMs / 2 + 5_000);
      await until(() => receiver.got.length > tries);
    }
    await until(() => book.list()[0]?.delivered === 3);
    expect(receiver.got.map(trackOf)).toEqual([...Array.from({ length: 13 }, () => 1), 2, 3]);
    expect(new Set(receiver.got.slice(0, 13).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    const [first, , , last] = receiver.got.slice(9, 13).map(({ headers }) => Number(headers['webhook-timestamp']));
    expect(Number(last) - Number(first)).toBeGreaterThan(600);
    expect(book.list()).toMatchObject([{ failed: 12, dropped: 0, waiting: 0 }]);
    expect(book.list()[0]).not.toHaveProperty('lastFailure');
    expect(receiver.mostOpen()).toBe(1);
  });

  it('is away is told when it is back', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, clock, pausing } = await aBook();
    await book.create(spec(receiver.url));
    await receiver.goAway();
    tell(aStart(1));
    await pausing();
    expect(book.list()).toMatchObject([
      { waiting: 1, lastFailure: { reason: `${receiver.url} cannot be reached: ECONNREFUSED` } },
    ]);
    await receiver.comeBack();
    await clock.advance(2_000);
    await until(() => book.list()[0]?.delivered === 1);
    expect(receiver.got.map(trackOf)).toEqual([1]);
    await receiver.goAway();
  });

  it('hangs is given ten seconds', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, clock, pausing } = await aBook();
    await book.create(spec(receiver.url));
    receiver.answer(() => {});
    tell(aStart(1));
    await until(() => receiver.got.length === 1);
    await clock.advance(9_999);
    expect(clock.pending()).toEqual(['webhook: answer']);
    await clock.advance(1);
    await pausing();
    expect(book.list()).toMatchObject([{ lastFailure: { reason: 'no answer within 10 s' } }]);
    receiver.answer(204);
    await clock.advance(2_000);
    await until(() => book.list()[0]?.delivered === 1);
  });

  it('says yes has taken it, however long its answer is', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec } = await aBook();
    await book.create(spec(receiver.url));
    receiver.answer((response) => response.writeHead(200).write(new Uint8Array(200 << 10)));
    tell(aStart(1));
    await until(() => book.list()[0]?.delivered === 1);
    expect(book.list()).toMatchObject([{ delivered: 1, failed: 0 }]);
    expect(receiver.got).toHaveLength(1);
  });

  it('redirects is not followed', async () => {
    const [receiver, elsewhere] = await Promise.all([aReceiver(), aReceiver()]);
    const { book, tell, spec, pausing } = await aBook();
    await book.create(spec(receiver.url));
    receiver.answer((response) => response.writeHead(307, { location: elsewhere.url }).end());
    tell(aStart(1));
    await pausing();
    expect(book.list()).toMatchObject([{ lastFailure: { reason: 'it answered 307: redirects are not followed' } }]);
    expect(elsewhere.got).toEqual([]);
  });

  it('answers 410 is switched off, for good, until a test arrives', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, disk, log } = await aBook();
    const { id } = await book.create(spec(receiver.url));
    receiver.answer(410);
    for (const number of [1, 2, 3]) tell(aStart(number));
    await until(() => disk.webhooks.get(id)?.off !== undefined);
    expect(book.list()).toMatchObject([{ off: { reason: 'it answered 410' }, waiting: 0, dropped: 3 }]);
    tell(aStart(4));
    expect(log.filter(({ level }) => level === 'warn')).toHaveLength(1);

    const again = await aBook({ disk });
    expect(again.book.list()).toMatchObject([{ id, off: { reason: 'it answered 410' } }]);
    expect(await again.book.test(id, never)).toMatchObject({ delivered: false, status: 410 });
    expect(again.book.list()).toMatchObject([{ off: {} }]);
    receiver.answer(202);
    expect(await again.book.test(id, never)).toMatchObject({ delivered: true, status: 202 });
    expect(disk.webhooks.get(id)).not.toHaveProperty('off');
    again.tell(aStart(5));
    await until(() => again.book.list()[0]?.delivered === 1);
    expect(receiver.got.map(({ text }) => JSON.parse(text).type)).toEqual([
      'dev.shoal.event.started',
      'dev.shoal.webhook.test',
      'dev.shoal.webhook.test',
      'dev.shoal.event.started',
    ]);
  });

  it('does not want one thing gets the next one after a few tries', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, pausing, nextTry } = await aBook();
    await book.create(spec(receiver.url));
    receiver.answer(400);
    tell(aStart(1));
    tell(aStart(2));
    for (let tries = 1; tries <= 8; tries++) {
      await pausing();
      expect(receiver.got).toHaveLength(tries);
      if (tries === 8) receiver.answer(204);
      await nextTry();
      await until(() => receiver.got.length > tries);
    }
    await until(() => book.list()[0]?.delivered === 1);
    expect(receiver.got.map(trackOf)).toEqual([...Array.from({ length: 8 }, () => 1), 2]);
    expect(book.list()).toMatchObject([{ dropped: 1, waiting: 0 }]);
  });

  it('is away for a day does not hear of what is older', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, clock, pausing, nextTry, log } = await aBook();
    await book.create(spec(receiver.url));
    await receiver.goAway();
    tell(aStart(1));
    while (clock.monotonicMs() < dayMs - 2 * longestPauseMs) {
      await pausing();
      await nextTry();
    }
    await pausing();
    expect(book.list()).toMatchObject([{ dropped: 0, waiting: 1 }]);
    tell(aStart(2));
    while (book.list()[0]?.dropped === 0) {
      await until(() => clock.pending().includes('webhook: next try') || book.list()[0]?.dropped === 1);
      await nextTry();
    }
    expect(clock.monotonicMs()).toBeGreaterThan(dayMs - 1);
    expect(clock.monotonicMs()).toBeLessThan(dayMs + longestPauseMs);
    await receiver.comeBack();
    await until(() => clock.pending().includes('webhook: next try') || book.list()[0]?.delivered === 1);
    await nextTry();
    await until(() => book.list()[0]?.delivered === 1);
    expect(receiver.got.map(trackOf)).toEqual([2]);
    expect(log.filter(({ message }) => message === 'a webhook was not delivered')).toHaveLength(1);
    await receiver.goAway();
  });

  it('takes nothing keeps no more than a thousand waiting: the oldest go, and are counted', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, clock, pausing } = await aBook();
    await book.create(spec(receiver.url));
    receiver.answer(500);
    for (let number = 1; number <= 1_010; number++) {
      tell(aStart(number));
      if (number === 1) await pausing();
      // Who follows the events loses some too, unless they are taken as they come.
      if (number % 100 === 0) await clock.advance(0);
    }
    await until(() => (book.list()[0]?.waiting ?? 0) > 1_000);
    expect(book.list()).toMatchObject([{ waiting: 1_001, dropped: 9 }]);
    receiver.answer(204);
    await clock.advance(2_000);
    await until(() => book.list()[0]?.delivered === 1_001);
    expect(receiver.got.slice(1).map(trackOf).slice(0, 3)).toEqual([1, 11, 12]);
    expect(receiver.mostOpen()).toBe(1);
  });

  it('is on this machine or its network is refused, when it is made and when its name leads there later', async () => {
    const receiver = await aReceiver();
    const { book, spec, disk } = await aBook({ allowPrivateAddresses: false });
    await expect(book.create(spec(receiver.url))).rejects.toMatchObject({ code: 'auth.forbidden' });
    await expect(book.create(spec('http://localhost:1/'))).rejects.toMatchObject({ code: 'auth.forbidden' });
    expect(disk.webhooks.size).toBe(0);
    const open = await aBook({ disk });
    const { id } = await open.book.create(spec(receiver.url));
    const closed = await aBook({ disk, allowPrivateAddresses: false });
    const { delivered, reason } = await closed.book.test(id, never);
    expect(delivered).toBe(false);
    expect(reason).toContain('--allow-private-urls');
    expect(receiver.got).toEqual([]);
  });
});

describe('webhooks', () => {
  it('show their secrets once, and their paths and queries never', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, log, pausing } = await aBook();
    const { secret, ...made } = await book.create(spec(`${receiver.url}/secret-path?key=secret-query`));
    receiver.answer(500);
    tell(aStart(1));
    await pausing();
    const { reason } = await book.test(made.id, never);
    const shown = JSON.stringify([made, book.list(), log, reason]);
    expect(shown).toContain(`${receiver.url}/…`);
    expect(shown).not.toMatch(/secret-(path|query)/);
    expect(shown).not.toContain(secret.replace('whsec_', ''));
    expect(log.length).toBeGreaterThan(0);
  });

  it('are limited in number, checked, and gone when they are removed', async () => {
    const { book, spec, disk } = await aBook();
    const url = 'http://127.0.0.1:1/';
    for (const wrong of ['ftp://a/', 'nothing', 'http://user:word@127.0.0.1/', `http://127.0.0.1/${'a'.repeat(2_048)}`])
      await expect(book.create(spec(wrong))).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(book.create(spec(url, { camera: 'cam_9' }))).rejects.toMatchObject({ code: 'not-found' });
    await expect(book.create(spec(url, { types: [] }))).rejects.toMatchObject({ code: 'input.invalid' });
    for (let count = 0; count < 50; count++) await book.create(spec(url));
    await expect(book.create(spec(url))).rejects.toMatchObject({ code: 'queue.full' });
    const [first] = book.list();
    await book.remove(first?.id ?? '');
    expect(book.list()).toHaveLength(49);
    expect(disk.webhooks.size).toBe(49);
    await expect(book.remove(first?.id ?? '')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('that are removed send nothing of what waited', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, clock, pausing } = await aBook();
    const { id } = await book.create(spec(receiver.url));
    receiver.answer(500);
    tell(aStart(1));
    tell(aStart(2));
    await pausing();
    await book.remove(id);
    expect(clock.pending()).toEqual([]);
    expect(receiver.got).toHaveLength(1);
  });

  it('are tested ahead of what waits, but not while a request is open', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, clock } = await aBook();
    const { id } = await book.create(spec(receiver.url));
    let answer = () => {};
    receiver.answer((response) => {
      answer = () => response.writeHead(204).end();
    });
    tell(aStart(1));
    tell(aStart(2));
    await until(() => receiver.got.length === 1);
    const trial = book.test(id, never);
    await clock.advance(0);
    expect(clock.pending()).toEqual(['webhook: answer']);
    receiver.answer(204);
    answer();
    expect(await trial).toMatchObject({ delivered: true });
    await until(() => book.list()[0]?.delivered === 2);
    const types = receiver.got.map(({ text }) => JSON.parse(text).type.replace('dev.shoal.', ''));
    expect(types).toEqual(['event.started', 'webhook.test', 'event.started']);
    expect(receiver.mostOpen()).toBe(1);
  });

  it('are tested one at a time', async () => {
    const receiver = await aReceiver();
    const { book, spec } = await aBook();
    const { id } = await book.create(spec(receiver.url));
    let answer = () => {};
    receiver.answer((response) => {
      answer = () => response.writeHead(204).end();
    });
    const first = book.test(id, never);
    await until(() => receiver.got.length === 1);
    await expect(book.test(id, never)).rejects.toMatchObject({ code: 'rate-limited' });
    answer();
    expect(await first).toMatchObject({ delivered: true, status: 204 });
  });
});

describe('the picture of a webhook', () => {
  it('comes along when it is wanted, asked for once for all who want it', async () => {
    const receiver = await aReceiver();
    let asked = 0;
    const { book, tell, spec } = await aBook({
      picture: async (camera) => {
        asked += 1;
        return aPicture(camera);
      },
    });
    await book.create(spec(`${receiver.url}/with`, { picture: true }));
    await book.create(spec(`${receiver.url}/too`, { picture: true }));
    await book.create(spec(`${receiver.url}/without`));
    tell(aStart(1));
    await until(() => receiver.got.length === 3);
    const snapshots = new Map(receiver.got.map(({ path, text }) => [path, JSON.parse(text).data.snapshot]));
    const snapshot = { mediaType: 'image/jpeg', capturedAt: '2025-11-13T02:13:20.000Z', base64: '/9j/2Q==' };
    expect(snapshots.get('/with')).toEqual(snapshot);
    expect(snapshots.get('/too')).toEqual(snapshot);
    expect(snapshots.get('/without')).toBeUndefined();
    expect(asked).toBe(1);
  });

  it('is left out when there is none, or when it is too large', async () => {
    const receiver = await aReceiver();
    let large = false;
    const { book, tell, spec } = await aBook({
      picture: async (camera) => {
        if (!large) throw new Error('the camera is off');
        return { ...aPicture(camera), jpeg: new Uint8Array(600 << 10) };
      },
    });
    await book.create(spec(receiver.url, { picture: true }));
    tell(aStart(1));
    await until(() => receiver.got.length === 1);
    large = true;
    tell(aStart(2));
    await until(() => receiver.got.length === 2);
    for (const { text } of receiver.got) expect(JSON.parse(text).data).not.toHaveProperty('snapshot');
  });

  it('goes, the oldest first, when too many wait; what it belongs to is sent without', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, clock, pausing } = await aBook({
      picture: async (camera) => ({ ...aPicture(camera), jpeg: new Uint8Array(500 << 10) }),
    });
    await book.create(spec(receiver.url, { picture: true }));
    receiver.answer(500);
    for (let number = 1; number <= 6; number++) {
      tell(aStart(number));
      await pausing();
    }
    receiver.answer(204);
    await clock.advance(2_000);
    await until(() => book.list()[0]?.delivered === 6);
    const pictured = receiver.got.slice(1).map(({ text }) => JSON.parse(text).data.snapshot !== undefined);
    expect(pictured).toEqual([false, false, true, true, true, true]);
  });
});
