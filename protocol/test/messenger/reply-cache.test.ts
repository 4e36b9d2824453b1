import { describe, expect, it } from 'vitest';
import { ReplyCache } from '../../src/messenger/reply-cache.ts';

const reply = (replyTo: number) => ({ id: 0, replyTo, payload: { empty: {} } });

function answered(cache: ReplyCache, peer: string, id: number): void {
  cache.begin(peer, id);
  cache.end(peer, id, reply(id));
}

describe('the reply cache', () => {
  it('knows what was never asked, what is being handled and what was answered', () => {
    const cache = new ReplyCache({ most: 10, mostPerPeer: 5 });
    expect(cache.find('a', 1)).toBeUndefined();
    cache.begin('a', 1);
    expect(cache.find('a', 1)).toBeNull();
    cache.end('a', 1, reply(1));
    expect(cache.find('a', 1)).toEqual(reply(1));
    expect(cache.find('b', 1)).toBeUndefined();
  });

  it('keeps the newest of each peer', () => {
    const cache = new ReplyCache({ most: 100, mostPerPeer: 3 });
    for (let id = 1; id <= 10; id++) answered(cache, 'a', id);
    expect([7, 8, 9, 10].map((id) => cache.find('a', id) !== undefined)).toEqual([false, true, true, true]);
    expect(cache.size).toBe(3);
  });

  it('never holds more than its limit, and forgets first the peer that was silent longest', () => {
    const cache = new ReplyCache({ most: 6, mostPerPeer: 3 });
    for (const peer of ['a', 'b', 'a', 'c', 'd']) answered(cache, peer, cache.size + 1);
    for (let id = 10; id < 13; id++) answered(cache, 'e', id);
    expect(cache.size).toBe(6);
    expect(cache.find('b', 2)).toBeUndefined();
    expect(cache.find('a', 3)).toBeDefined();
  });

  it('does not keep replies with attachments, nor answers to what asked for none', () => {
    const cache = new ReplyCache({ most: 10, mostPerPeer: 5 });
    cache.begin('a', 1);
    cache.end('a', 1, { ...reply(1), attachments: [new Uint8Array(1)] });
    cache.begin('a', 0);
    cache.end('a', 0, reply(0));
    expect(cache.find('a', 1)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('takes no answer to a question that was forgotten meanwhile', () => {
    const cache = new ReplyCache({ most: 1, mostPerPeer: 1 });
    cache.begin('a', 1);
    cache.begin('b', 1);
    cache.end('a', 1, reply(1));
    expect(cache.find('a', 1)).toBeUndefined();
    expect(cache.size).toBe(1);
  });
});
