import { describe, expect, it, vi } from 'vitest';
import { patience } from '../../src/hardware/real/patience.ts';

describe('a read that never comes back', () => {
  it('is given up after its time, and its path is not asked again before it answered', async () => {
    const within = patience(5);
    const { promise, resolve } = Promise.withResolvers<string>();
    expect(await within('/sys/stuck', () => promise)).toBeUndefined();

    const again = vi.fn(async () => 'second');
    expect(await within('/sys/stuck', again)).toBeUndefined();
    expect(again).not.toHaveBeenCalled();
    expect(await within('/sys/other', async () => 'fine')).toBe('fine');

    resolve('at last');
    await promise;
    expect(await within('/sys/stuck', again)).toBe('second');
  });

  it('that fails late is forgotten, not thrown', async () => {
    const within = patience(5);
    const { promise, reject } = Promise.withResolvers<string>();
    expect(await within('/sys/stuck', () => promise)).toBeUndefined();
    reject(new Error('EIO'));
    await promise.catch(() => {});
    expect(await within('/sys/stuck', async () => 'back')).toBe('back');
  });
});

it('a read that fails is nothing', async () => {
  expect(await patience(1000)('/sys/x', () => Promise.reject(new Error('EACCES')))).toBeUndefined();
});
