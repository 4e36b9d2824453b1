import {
  type Coordinator,
  type CoordinatorConfig,
  createCoordinator,
  type MemoryBlobStore,
  type MemoryDisk,
  MemoryStore,
} from '@shoal/coordinator';
import type { Clock, Identity, Link, Logger, MemoryHub, PeerId, PeerKey, Random } from '@shoal/protocol';
import { CrashableClock, WallClock } from './crashable-clock.ts';
import type { Signatures } from './signatures.ts';
import { simulatedModels } from './simulated-models.ts';
import type { Wiretap } from './wiretap.ts';

interface Surroundings {
  readonly clock: Clock;
  readonly hubs: readonly MemoryHub[];
  readonly random: Random;
  readonly wiretap: Wiretap;
  readonly signatures: Signatures;
  readonly identity: Identity;
  readonly config: CoordinatorConfig;
  readonly logger: Logger;
  readonly disks: { readonly store: MemoryDisk; readonly blobs: MemoryBlobStore };
}

interface Process {
  readonly coordinator: Coordinator;
  readonly clock: CrashableClock;
  readonly store: MemoryStore;
  readonly links: readonly Link[];
}

const never = new AbortController().signal;

/** A coordinator that can crash and start again with what was durable and nothing else. */
export class CoordinatorLife {
  /** How long its disk takes for one write, ms. */
  writeMs = 2;
  readonly wall = new WallClock();
  readonly #surroundings: Surroundings;
  #process: Process | undefined;
  readonly #crashed: Process[] = [];
  /** By the very bytes that were recorded: to import a key costs as much as to verify with it. */
  readonly #keys = new WeakMap<Uint8Array, PeerKey>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  get id(): PeerId {
    return this.#surroundings.identity.id;
  }

  /** As the coordinator recorded it. */
  keyOf(device: PeerId): PeerKey | undefined {
    const record = this.#surroundings.disks.store.devices.get(device);
    if (!record) return undefined;
    const key = this.#keys.get(record.publicKey) ?? this.#surroundings.signatures.importKey('device', record.publicKey);
    this.#keys.set(record.publicKey, key);
    return key;
  }

  get isUp(): boolean {
    return this.#process !== undefined;
  }

  get coordinator(): Coordinator {
    if (!this.#process) throw new Error('the coordinator is down');
    return this.#process.coordinator;
  }

  async start(): Promise<void> {
    const { hubs, wiretap, random, signatures, identity, config, logger, disks } = this.#surroundings;
    const clock = new CrashableClock(this.#surroundings.clock, this.wall);
    const store = new MemoryStore(clock, disks.store, this);
    const links = hubs.map((hub) => wiretap.on(hub.link(identity.id), identity.id));
    const addresses = () => ['mqtt://simulated:1883'];
    const ports = {
      ...{ clock, random, logger, identity, links, store, addresses },
      blobs: disks.blobs,
      models: simulatedModels,
      importKey: signatures.importKey,
    };
    const coordinator = createCoordinator(config, ports);
    this.#process = { coordinator, clock, store, links };
    await coordinator.start(never);
  }

  /** @param lastWrite whether the write that was under way is on the disk, though nobody was told */
  crash(lastWrite: 'lost' | 'done' = 'lost'): void {
    if (!this.#process) return;
    const { clock, store, links } = this.#process;
    this.#crashed.push(this.#process);
    this.#process = undefined;
    clock.crash();
    store.crash(lastWrite);
    for (const link of links) void link.stop();
  }

  /** Once the world is over: ends what every crashed process still waits for. */
  async bury(): Promise<void> {
    await Promise.all(
      this.#crashed.splice(0).map(({ coordinator, clock }) => {
        clock.bury();
        return coordinator.stop();
      }),
    );
  }
}
