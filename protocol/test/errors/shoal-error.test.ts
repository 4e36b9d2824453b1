import { asShoalError, isErrorCode, isShoalError, ShoalError } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

describe('a ShoalError', () => {
  test('carries its code, its facts and what the catalogue says', () => {
    const cause = new Error('ENOSPC');
    const error = new ShoalError('io.disk-full', 'no room for task t1: free some space', { task: 't1' }, { cause });
    expect(error).toMatchObject({ name: 'ShoalError', code: 'io.disk-full', facts: { task: 't1' }, cause });
    expect([error.blame, error.retryable, error.kind.http]).toEqual(['environment', true, 507]);
  });

  test('is told apart by its code', () => {
    const error = new ShoalError('timeout', 'late');
    expect([isShoalError(error), isShoalError(error, 'timeout'), isShoalError(error, 'closed')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(isShoalError(new Error('late'))).toBe(false);
    expect([isErrorCode('timeout'), isErrorCode('toString'), isErrorCode('')]).toEqual([true, false, false]);
  });
});

describe('asShoalError', () => {
  test('passes a ShoalError on as it is', () => {
    const error = new ShoalError('timeout', 'late');
    expect(asShoalError(error, 'io.failed')).toBe(error);
  });

  test.each([
    ['ENOSPC', 'io.disk-full'],
    ['ENOENT', 'io.failed'],
    ['EMFILE', 'io.failed'],
    ['ECONNREFUSED', 'net.unreachable'],
    ['ETIMEDOUT', 'timeout'],
  ])('knows %s of the operating system as %s', (systemCode, code) => {
    const thrown = Object.assign(new Error(`${systemCode}: it failed`), { code: systemCode });
    expect(asShoalError(thrown)).toMatchObject({ code, message: thrown.message, cause: thrown });
    expect(asShoalError(thrown, 'reply.failed').code).toBe(code);
  });

  test('knows the reasons of aborted signals', async () => {
    expect(asShoalError(AbortSignal.abort().reason).code).toBe('aborted');
    const signal = AbortSignal.timeout(0);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    expect(asShoalError(signal.reason).code).toBe('timeout');
  });

  test('takes anything else for a defect, or for what the caller says it is', () => {
    const thrown = new TypeError('x is not a function');
    expect(asShoalError(thrown)).toMatchObject({ code: 'defect', message: thrown.message, cause: thrown });
    expect(asShoalError(thrown, 'engine.failed').code).toBe('engine.failed');
  });

  test('never throws itself, whatever was thrown', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (thrown) => {
        const error = asShoalError(thrown);
        expect(error).toBeInstanceOf(ShoalError);
        expect(error.cause === thrown || Number.isNaN(thrown)).toBe(true);
      }),
    );
    expect(asShoalError('broken pipe').message).toBe('broken pipe');
  });
});
