import { createLogger, type LogRecord, ShoalError, seededRandom } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { VirtualClock } from '@shoal/protocol/testing';
import { onTestFinished, vi } from 'vitest';
import type { EventRecord, LivePicture, WebhookSpec } from '../../src/domain/index.ts';
import { Followers } from '../../src/following/index.ts';
import { MemoryDisk, MemoryStore } from '../../src/store/index.ts';
import { WebhookBook } from '../../src/webhooks/index.ts';
import { createWebhookSender } from '../../src/webhooks/real/index.ts';
import { aPicture } from '../http/a-picture.ts';
import { anEvent, startMs } from '../support/builders.ts';

const stepMs = 5_000;

export interface BookOptions {
  readonly disk?: MemoryDisk;
  readonly allowPrivateAddresses?: boolean;
  readonly picture?: (camera: string) => Promise<LivePicture>;
}

/** Webhooks that are sent over real sockets, while the time between them is virtual. */
export async function aBook(options: BookOptions = {}) {
  const clock = new VirtualClock({ startMs });
  const disk = options.disk ?? new MemoryDisk();
  const log: LogRecord[] = [];
  const followers = new Followers<EventRecord>('events');
  const newest = options.picture ?? (async (camera) => aPicture(camera));
  const book = new WebhookBook({
    clock,
    random: seededRandom(3),
    logger: createLogger((record) => log.push(record), 'debug'),
    store: new MemoryStore(systemClock, disk),
    sender: createWebhookSender({ allowPrivateAddresses: options.allowPrivateAddresses ?? true }),
    identity: { id: 'crd_test' },
    events: { watch: (_, signal) => followers.follow(() => true, signal) },
    cameras: {
      get: (id) => {
        if (id !== 'cam_1' && id !== 'cam_2') throw new ShoalError('not-found', `there is no camera ${id}`);
        return { id, spec: { name: 'Front door' } } as never;
      },
    },
    pictures: { newest: (camera) => newest(camera) },
  });
  book.load([...disk.webhooks.values()]);
  book.start();
  onTestFinished(() => book.stop());
  const failures = () => book.list().reduce((sum, { failed }) => sum + failed, 0);
  const pauses = () => clock.pending().filter((name) => name === 'webhook: next try').length;
  return {
    ...{ clock, disk, log, book },
    tell: (event: EventRecord) => followers.tell(event),
    spec: (url: string, change: Partial<WebhookSpec> = {}): WebhookSpec => ({
      ...{ url, types: ['event.started', 'event.updated', 'event.ended'], picture: false, ...change },
    }),
    /** Lets time go on until the pause is over, in steps that are shorter than what a receiver is given. */
    nextTry: async () => {
      const before = failures();
      while (pauses() > 0 && failures() === before) await clock.advance(stepMs);
    },
    /** A try has failed, and the next one waits for its time. */
    pausing: () => until(() => pauses() > 0),
  };
}

/** What goes through a socket takes real time: never a wait for the clock, only for what happens. */
export function until(fact: () => boolean): Promise<void> {
  return vi.waitFor(
    () => {
      if (!fact()) throw new Error(`it never came to this: ${fact}`);
    },
    { timeout: 20_000, interval: 2 },
  );
}

export function aStart(number: number, change: Partial<EventRecord> = {}): EventRecord {
  const { endedAtMs: _, ...event } = anEvent(number, { lastResult: 'res_1' });
  return { ...event, ...change };
}
