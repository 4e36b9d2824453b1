import { type AgentStore, MemoryAgentStore, type OutboxEntry } from '@shoal/agent';
import { CameraReport, type Clock, type PeerId, type Random } from '@shoal/protocol';

/** How long a simulated SD card takes for one write, ms. */
const writeMs = 5;

/**
 * The disk of a device. A write takes its time, and in a crash those under way are done or not, the first ones first, without anybody being told;
 * received sequences that no write took along are forgotten.
 */
export class AgentDisk {
  readonly #random: Random;
  readonly #content: AgentStore;
  readonly #received = new Map<PeerId, number>();
  #underWay = new Set<() => void>();
  /** When camera reports, as `camera number`, were said to be durable, virtual ms. */
  readonly reports = new Map<string, number>();

  /** @param content what it holds; a test hands in one that lies */
  constructor(random: Random, content: AgentStore = new MemoryAgentStore()) {
    this.#random = random;
    this.#content = content;
  }

  /** What a process sees of it. */
  open(clock: Clock): AgentStore {
    const { sequences, membership, outbox, profiles, cameras } = this.#content;
    const received = new Map(this.#received);
    const write = <T>(apply: () => Promise<T>): Promise<T> =>
      new Promise((resolve) => {
        const run = () => {
          this.#underWay.delete(run);
          for (const [sender, sequence] of received) this.#received.set(sender, sequence);
          resolve(apply());
        };
        this.#underWay.add(run);
        clock.after('agent disk: write', writeMs, run);
      });
    return {
      sequences: {
        reserve: (count) => write(() => sequences.reserve(count)),
        lastReceived: (sender) => received.get(sender) ?? 0,
        recordReceived: (sender, sequence) => void received.set(sender, sequence),
      },
      membership: {
        pinned: () => membership.pinned(),
        pin: (coordinator) => write(() => membership.pin(coordinator)),
        welcomedAtMs: () => membership.welcomedAtMs(),
        recordWelcome: (atMs) => write(() => membership.recordWelcome(atMs)),
        probed: () => membership.probed(),
        recordProbed: (probed) => write(() => membership.recordProbed(probed)),
      },
      outbox: {
        totals: () => outbox.totals(),
        lastId: () => outbox.lastId(),
        append: async (entries) => {
          await write(() => outbox.append(entries));
          this.#promise(entries, clock.monotonicMs());
        },
        read: (afterId, limit) => outbox.read(afterId, limit),
        remove: (ids) => write(() => outbox.remove(ids)),
        shedPayloads: (sizeBytes) => write(() => outbox.shedPayloads(sizeBytes)),
      },
      profiles: { all: () => profiles.all(), put: (record) => write(() => profiles.put(record)) },
      cameras: {
        all: () => cameras.all(),
        put: (assignment) => write(() => cameras.put(assignment)),
        remove: (cameraId) => write(() => cameras.remove(cameraId)),
        reserveNumbers: (cameraId, count) => write(() => cameras.reserveNumbers(cameraId, count)),
      },
      close: async () => {},
    };
  }

  /** The process that had it open is gone. */
  crash(): void {
    const underWay = this.#underWay;
    this.#underWay = new Set();
    for (const run of underWay) {
      if (this.#random.next() < 0.5) return;
      run();
    }
  }

  #promise(entries: readonly OutboxEntry[], nowMs: number): void {
    for (const { kind, statement } of entries) {
      if (kind !== 'camera-report') continue;
      const { cameraId, number } = CameraReport.decode(statement);
      this.reports.set(`${cameraId} ${number}`, nowMs);
    }
  }
}
