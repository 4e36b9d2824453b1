import { Messenger, type PeerKey, silentLogger } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { MemorySequenceStore } from '@shoal/protocol/testing';
import { median } from '../harness.ts';
import type { Ends } from './mqtt.ts';

const telemetry = {
  telemetry: {
    ...{ batteryPct: 71, charging: false, temperatureC: 51.5, throttled: false, cpuLoad: 0.31, running: 1, queued: 0 },
    ...{ memoryAvailableBytes: 2_100_000_000, outbox: 0, loadedModels: ['efficientdet-lite0/int8'] },
  },
};

/** What a device says in one turn: as much as goes under one signature. */
const batch = 256;

/** Signed messages over a link, both ends in this process: each waits for the other's share of the core, too. */
export class SignedMessages {
  readonly #ends: Ends;
  readonly #device: Messenger;
  readonly #coordinator: Messenger;
  #heard = 0;
  #wake = () => {};

  private constructor(ends: Ends) {
    this.#ends = ends;
    const { device, coordinator, deviceLink, coordinatorLink } = ends;
    const common = { clock: systemClock, logger: silentLogger };
    const knowing = (peer: PeerKey) => ({ keyOf: (id: string) => (id === peer.id ? peer : undefined) });
    const sequences = () => new MemorySequenceStore();
    this.#device = new Messenger({
      ...common,
      ...{ identity: device, link: deviceLink, peers: knowing(coordinator), sequences: sequences() },
    });
    this.#coordinator = new Messenger({
      ...common,
      ...{ identity: coordinator, link: coordinatorLink, peers: knowing(device), sequences: sequences() },
    });
    this.#coordinator.handle(() => {
      this.#heard += 1;
      this.#wake();
      return undefined;
    });
  }

  static async open(ends: Ends): Promise<SignedMessages> {
    const messages = new SignedMessages(ends);
    await messages.#coordinator.start(new AbortController().signal);
    await messages.#device.start(new AbortController().signal);
    return messages;
  }

  /** A request and its answer, each signed and verified. */
  async ask(): Promise<void> {
    await this.#device.request(this.#ends.coordinator.id, telemetry, { timeoutMs: 10_000 });
  }

  /** Says so many messages one way, in batches, no more than eight of them ahead of the coordinator. Resolves when it has handled them all. */
  async say(count: number): Promise<void> {
    const { coordinator } = this.#ends;
    const end = this.#heard + count;
    for (let said = this.#heard; said < end; ) {
      for (let i = 0; i < batch && said < end; i++, said++) this.#device.send(coordinator.id, { payload: telemetry });
      await this.#until(said - 8 * batch);
    }
    await this.#until(end);
  }

  async #until(count: number): Promise<void> {
    // A turn in which what was said leaves.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#heard < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async close(): Promise<void> {
    await this.#device.stop();
    await this.#coordinator.stop();
    await this.#ends.close();
  }
}

/** What one signature costs here, and its verification: medians, ms. */
export function signatureMs({ device }: Ends): { signMs: number; verifyMs: number } {
  const text = Buffer.alloc(512, 1);
  const signature = device.sign(text);
  const medianOf = (action: () => unknown) =>
    median(
      Array.from({ length: 2_000 }, () => {
        const startMs = performance.now();
        action();
        return performance.now() - startMs;
      }),
    );
  return { signMs: medianOf(() => device.sign(text)), verifyMs: medianOf(() => device.verify(text, signature)) };
}
