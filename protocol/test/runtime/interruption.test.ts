import { EventEmitter } from 'node:events';
import { interruption } from '@shoal/protocol/real';
import { VirtualClock } from '@shoal/protocol/testing';
import { expect, test, vi } from 'vitest';

function process() {
  const signals = new EventEmitter();
  const clock = new VirtualClock();
  const insist = vi.fn<() => void>();
  return { signals, clock, insist, interrupted: interruption({ signals, clock, insist }) };
}

test.each(['SIGINT', 'SIGTERM'])('%s asks to end', (name) => {
  const { signals, insist, interrupted } = process();
  expect(interrupted.aborted).toBe(false);
  signals.emit(name, name);
  expect(interrupted.reason).toMatchObject({ code: 'aborted', message: `stopped by ${name}` });
  expect(insist).not.toHaveBeenCalled();
});

test('a signal that npm sends on after the terminal did is no second wish', async () => {
  const { signals, clock, insist } = process();
  signals.emit('SIGINT', 'SIGINT');
  await clock.advance(999);
  signals.emit('SIGINT', 'SIGINT');
  expect(insist).not.toHaveBeenCalled();
});

test('a signal after a second insists, whichever came first', async () => {
  const { signals, clock, insist } = process();
  signals.emit('SIGTERM', 'SIGTERM');
  await clock.advance(1_000);
  signals.emit('SIGINT', 'SIGINT');
  expect(insist).toHaveBeenCalledOnce();
});
