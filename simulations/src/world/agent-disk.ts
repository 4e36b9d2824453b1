import { type AgentStore, MemoryAgentStore, type OutboxEntry, type ProfileRecord } from '@shoal/agent';
import { CameraReport, type Clock, type PeerId, type Random, ShoalError } from '@shoal/protocol';

/** How long a simulated SD card usually takes for one write, ms. */
const usualWriteMs = 5;

/**
 * - `well`: what is written is there.
 * - `full`: nothing can be written.
 * - `torn`: a write fails, and what it was to write is there or not.
 */
type DiskState = 'well' | 'full' | 'torn';

/**
 * The disk of a device. A write takes its time, and in a crash those under way are done or not, the first ones first, without anybody being told;
 * received sequences that no write took along are forgotten. One write is done as a whole or not at all: that is what the real store makes of a
 * log that was torn in the middle of a record.
 */
export class AgentDisk {
  readonly #random: Random;
  readonly #content: AgentStore;
  readonly #received = new Map<PeerId, number>();
  #underWay = new Set<() => void>();
  #state: DiskState = 'well';
  #everTorn = false;
  /** Results of which a write failed, and that may be on it all the same: after a start there may be so many more than were taken. */
  untoldResults = 0;
  writeMs = usualWriteMs;
  /** What is read of stored profiles is so many times what was measured. */
  profileFactor = 1;
  /** When camera reports, as `camera number`, were said to be durable, virtual ms. */
  readonly reports = new Map<string, number>();

  /** @param content what it holds; a test hands in one that lies */
  constructor(random: Random, content: AgentStore = new MemoryAgentStore()) {
    this.#random = random;
    this.#content = content;
  }

  get state(): DiskState {
    return this.#state;
  }

  set state(state: DiskState) {
    this.#state = state;
    this.#everTorn ||= state === 'torn';
  }

  /** Whether a write that failed may ever have been done: who was told so counts it twice, until it is written again. */
  get everTorn(): boolean {
    return this.#everTorn;
  }

  /** Bytes of results on it. */
  get outboxBytes(): number {
    return this.#content.outbox.totals().sizeBytes;
  }

  /** What a process sees of it. */
  open(clock: Clock): AgentStore {
    const { sequences, membership, outbox, profiles, cameras } = this.#content;
    const received = new Map(this.#received);
    const write = <T>(apply: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        const run = () => {
          this.#underWay.delete(run);
          const failure = this.#failure();
          if (failure === undefined || this.#isDoneAllTheSame()) {
            for (const [sender, sequence] of received) this.#received.set(sender, sequence);
            const done = apply();
            if (failure === undefined) return resolve(done);
          }
          reject(failure);
        };
        this.#underWay.add(run);
        clock.after('agent disk: write', this.writeMs, run);
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
        shown: () => membership.shown(),
        recordShown: (shown) => write(() => membership.recordShown(shown)),
        probed: () => membership.probed(),
        recordProbed: (probed) => write(() => membership.recordProbed(probed)),
      },
      outbox: {
        totals: () => outbox.totals(),
        lastId: () => outbox.lastId(),
        append: async (entries) => {
          const wasTorn = this.state === 'torn';
          await write(() => outbox.append(entries)).catch((error) => {
            if (wasTorn || this.state === 'torn') this.untoldResults += entries.length;
            throw error;
          });
          this.#promise(entries, clock.monotonicMs());
        },
        read: (afterId, limit) => outbox.read(afterId, limit),
        remove: (ids) => write(() => outbox.remove(ids)),
        shedPayloads: (sizeBytes) => write(() => outbox.shedPayloads(sizeBytes)),
      },
      profiles: {
        all: () => profiles.all().map((record) => this.#distorted(record)),
        put: (record) => write(() => profiles.put(record)),
      },
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

  mend(): void {
    this.state = 'well';
    this.writeMs = usualWriteMs;
    this.profileFactor = 1;
  }

  #failure(): ShoalError | undefined {
    if (this.state === 'full') return new ShoalError('io.disk-full', 'the disk is full');
    if (this.state === 'torn' && this.#random.next() < 0.3)
      return new ShoalError('io.failed', 'the disk did not say whether it wrote');
    return undefined;
  }

  #isDoneAllTheSame(): boolean {
    return this.state === 'torn' && this.#random.next() < 0.5;
  }

  #distorted({ profile, fingerprint }: ProfileRecord): ProfileRecord {
    const { p50Ms, p95Ms } = profile;
    const distorted = { ...profile, p50Ms: p50Ms * this.profileFactor, p95Ms: p95Ms * this.profileFactor };
    return { profile: distorted, fingerprint };
  }

  #promise(entries: readonly OutboxEntry[], nowMs: number): void {
    for (const { kind, statement } of entries) {
      if (kind !== 'camera-report') continue;
      const { cameraId, number } = CameraReport.decode(statement);
      this.reports.set(`${cameraId} ${number}`, nowMs);
    }
  }
}
