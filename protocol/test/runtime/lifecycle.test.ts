import { createLogger, delay, type LogRecord, type Service, ServiceGroup, ShoalError } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, test } from 'vitest';

interface Member {
  readonly name: string;
  readonly start?: (signal: AbortSignal) => Promise<void>;
  readonly drain?: (signal: AbortSignal) => Promise<void>;
  readonly stop?: () => Promise<void>;
}

function aGroup(members: readonly (Member | string)[]) {
  const clock = new VirtualClock();
  const events: string[] = [];
  const log: LogRecord[] = [];
  const services = members.map((given): Service => {
    const member = typeof given === 'string' ? { name: given } : given;
    const { name, start, drain, stop } = member as Member;
    return {
      name,
      async start(signal) {
        events.push(`start ${name}`);
        await start?.(signal);
      },
      ...(drain && {
        async drain(signal: AbortSignal) {
          events.push(`drain ${name}`);
          await drain(signal);
        },
      }),
      async stop() {
        events.push(`stop ${name}`);
        await stop?.();
      },
    };
  });
  const logger = createLogger((record) => log.push(record), 'debug');
  const options = { name: 'agent', drainTimeoutMs: 10_000, stopTimeoutMs: 5_000 };
  return { clock, events, log, group: new ServiceGroup({ clock, logger }, services, options) };
}

const never = () => new Promise<void>(() => {});
const signal = new AbortController().signal;

describe('a group of services', () => {
  test('starts its members in order and stops them in reverse order', async () => {
    const { group, events, clock } = aGroup(['store', 'link', 'camera']);
    expect(group.state).toBe('idle');
    const starting = group.start(signal);
    expect(group.state).toBe('starting');
    await starting;
    expect(group.state).toBe('running');
    const stopping = group.stop();
    expect(group.state).toBe('stopping');
    await stopping;
    expect(group.state).toBe('stopped');
    expect(events).toEqual(['start store', 'start link', 'start camera', 'stop camera', 'stop link', 'stop store']);
    expect(clock.pending()).toEqual([]);
  });

  test('starts a member only when the one before is ready', async () => {
    const { group, events, clock } = aGroup([{ name: 'store', start: () => delay(clock, 'open', 100) }, 'link']);
    const started = group.start(signal);
    await clock.advance(99);
    expect(events).toEqual(['start store']);
    await clock.until(started);
    expect(events).toEqual(['start store', 'start link']);
  });

  test('stops those that were started when one does not start, and passes its error on', async () => {
    const reason = new ShoalError('net.unreachable', 'no broker');
    const { group, events, log } = aGroup(['store', { name: 'link', start: () => Promise.reject(reason) }, 'camera']);
    await expect(group.start(signal)).rejects.toBe(reason);
    expect(group.state).toBe('failed');
    expect(events).toEqual(['start store', 'start link', 'stop link', 'stop store']);
    expect(log).toEqual([
      { level: 'error', message: 'service did not start', fields: { service: 'link', error: 'no broker' } },
    ]);
    await group.stop();
    expect(group.state).toBe('stopped');
    expect(events).toHaveLength(4);
  });

  test('stopped while it starts: aborts the member that is starting, starts no other, and stops what runs', async () => {
    const { group, events, clock } = aGroup([
      'store',
      { name: 'link', start: (abort) => delay(clock, 'connect', 60_000, abort) },
      'camera',
    ]);
    const started = expect(group.start(signal)).rejects.toMatchObject({ code: 'aborted' });
    await clock.advance(10);
    await group.stop();
    await started;
    expect(group.state).toBe('stopped');
    expect(events).toEqual(['start store', 'start link', 'stop link', 'stop store']);
    expect(clock.pending()).toEqual([]);
  });

  test('stopped while a member starts that does not listen: leaves it behind, names it, and stops it once it is ready', async () => {
    let ready = () => {};
    const deaf = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const { group, events, clock, log } = aGroup(['store', { name: 'engine', start: () => deaf }]);
    const started = expect(group.start(signal)).rejects.toMatchObject({ code: 'aborted' });
    await clock.advance(0);
    const stopped = group.stop();
    await clock.until(stopped);
    expect(clock.monotonicMs()).toBe(5_000);
    expect(log.map(({ message, fields }) => [message, fields['service']])).toEqual([
      ['service was late to stop', 'engine'],
    ]);
    expect(events).toEqual(['start store', 'start engine', 'stop engine', 'stop store']);
    ready();
    await started;
    expect(events.slice(4)).toEqual(['stop engine']);
    expect(group.state).toBe('stopped');
  });

  test('aborted from outside while the last member starts: is not running', async () => {
    const abort = new AbortController();
    const { group, events } = aGroup([{ name: 'link', start: async () => abort.abort(new Error('enough')) }]);
    await expect(group.start(abort.signal)).rejects.toThrow('enough');
    expect(group.state).toBe('failed');
    expect(events).toEqual(['start link', 'stop link']);
  });

  test('drains, last started first, and then stops', async () => {
    const { group, events, clock } = aGroup([
      { name: 'outbox', drain: () => delay(clock, 'deliver', 300) },
      'store',
      { name: 'camera', drain: () => delay(clock, 'last picture', 200) },
    ]);
    await group.start(signal);
    const drained = group.drain(signal);
    expect(group.state).toBe('draining');
    expect(group.drain(signal), 'a second call waits for the same').toBe(drained);
    await clock.until(drained);
    expect(clock.monotonicMs()).toBe(500);
    await group.stop();
    expect(events.slice(3)).toEqual(['drain camera', 'drain outbox', 'stop camera', 'stop store', 'stop outbox']);
  });

  test('stopped while it drains: drains no further', async () => {
    const { group, events, clock } = aGroup([
      { name: 'outbox', drain: never },
      { name: 'camera', drain: () => delay(clock, 'last picture', 200) },
    ]);
    await group.start(signal);
    const drained = group.drain(signal);
    await group.stop();
    await clock.until(drained);
    expect(events.slice(2)).toEqual(['drain camera', 'stop camera', 'stop outbox']);
    expect(group.state).toBe('stopped');
  });

  test('a late member is named and left behind, in drain and in stop', async () => {
    const { group, events, clock, log } = aGroup(['store', { name: 'camera', drain: never, stop: never }, 'link']);
    await group.start(signal);
    await clock.until(group.drain(signal));
    expect(clock.monotonicMs()).toBe(10_000);
    await clock.until(group.stop());
    expect(clock.monotonicMs()).toBe(15_000);
    expect(events.slice(3)).toEqual(['drain camera', 'stop link', 'stop camera', 'stop store']);
    expect(log).toEqual([
      {
        level: 'warn',
        message: 'service was late to drain',
        fields: { group: 'agent', service: 'camera', timeoutMs: 10_000 },
      },
      {
        level: 'warn',
        message: 'service was late to stop',
        fields: { group: 'agent', service: 'camera', timeoutMs: 5_000 },
      },
    ]);
    expect(clock.pending()).toEqual([]);
  });

  test('a member that fails to stop, at once or later, does not keep the others from stopping', async () => {
    const { group, events, log } = aGroup([
      'store',
      { name: 'link', stop: () => Promise.reject(new Error('socket is gone')) },
      {
        name: 'camera',
        stop: () => {
          throw new Error('no process');
        },
      },
    ]);
    await group.start(signal);
    await group.stop();
    expect(events.slice(3)).toEqual(['stop camera', 'stop link', 'stop store']);
    expect(log.map(({ fields }) => [fields['service'], fields['error']])).toEqual([
      ['camera', 'no process'],
      ['link', 'socket is gone'],
    ]);
  });

  test('is stopped in any state, once, however often it is asked to', async () => {
    const idle = aGroup(['store']);
    await idle.group.stop();
    expect(idle.group.state).toBe('stopped');
    expect(idle.events).toEqual([]);

    const running = aGroup(['store']);
    await running.group.start(signal);
    await Promise.all([running.group.stop(), running.group.stop()]);
    await running.group.stop();
    await running.group.drain(signal);
    expect(running.events).toEqual(['start store', 'stop store']);
  });

  test('is not started twice, nor after it was stopped', async () => {
    const { group, events } = aGroup(['store']);
    await group.start(signal);
    await expect(group.start(signal)).rejects.toMatchObject({
      code: 'closed',
      message: 'agent cannot start: it is running',
    });
    await group.stop();
    await expect(group.start(signal)).rejects.toMatchObject({
      code: 'closed',
      message: 'agent cannot start: it is stopped',
    });
    expect(events).toEqual(['start store', 'stop store']);
  });

  test('is a service itself: groups nest', async () => {
    const inner = aGroup(['broker', 'http']);
    const outer = new ServiceGroup({ clock: inner.clock, logger: createLogger(() => {}) }, [inner.group], {
      name: 'all',
    });
    await outer.start(signal);
    await outer.drain(signal);
    expect(inner.group.state).toBe('draining');
    await outer.stop();
    expect(inner.events).toEqual(['start broker', 'start http', 'stop http', 'stop broker']);
  });
});
