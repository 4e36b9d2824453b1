import {
  type Logger,
  MemoryHub,
  type MemoryHubOptions,
  newIdentity,
  seededRandom,
  silentLogger,
} from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { MemoryBlobStore } from '../../src/blobs/index.ts';
import { createCoordinator } from '../../src/compose.ts';
import { type CoordinatorConfig, defaultCoordinatorConfig } from '../../src/config.ts';
import type { Coordinator, Task } from '../../src/domain/index.ts';
import { MemoryDisk, MemoryStore } from '../../src/store/index.ts';
import type { WebhookSender } from '../../src/webhooks/index.ts';
import { aProfile, startMs } from './builders.ts';
import { testModels } from './models.ts';
import { aModelSha256, never, ScriptedDevice, type ScriptedDeviceOptions } from './scripted-device.ts';

export interface WorldOptions {
  readonly config?: Partial<CoordinatorConfig>;
  readonly hub?: MemoryHubOptions;
  readonly seed?: number;
  readonly storeWriteMs?: number;
  /** Of the coordinator; silent by default. */
  readonly logger?: Logger;
  readonly cut?: (device: string) => void;
  readonly webhookSender?: WebhookSender;
}

/** A coordinator and its devices in one process, under virtual time. */
export class World {
  readonly clock = new VirtualClock({ startMs });
  readonly random;
  readonly hub: MemoryHub;
  readonly disk = new MemoryDisk();
  readonly blobs = new MemoryBlobStore();
  readonly identity;
  readonly options: WorldOptions;
  /** Of the coordinator, from its next start on. */
  config: Partial<CoordinatorConfig>;
  coordinator: Coordinator;
  #store: MemoryStore;
  #link;

  constructor(options: WorldOptions = {}) {
    this.options = options;
    this.config = options.config ?? {};
    this.random = seededRandom(options.seed ?? 1);
    this.hub = new MemoryHub(this.clock, options.hub);
    this.identity = newIdentity('coordinator', this.random);
    this.#store = this.#newStore();
    this.#link = this.hub.link(this.identity.id);
    this.coordinator = this.#newCoordinator();
  }

  /** Of the coordinator that runs. */
  get store(): MemoryStore {
    return this.#store;
  }

  async start(): Promise<this> {
    await this.clock.until(this.coordinator.start(never));
    return this;
  }

  /** The coordinator is killed, without a word, and started anew on what it had committed. */
  async restartAfterCrash(): Promise<void> {
    this.#store.crash();
    await this.#link.stop();
    // What the dead process still has in hand reaches nobody; its timers are stopped so that it does not go on dreaming.
    const stopped = this.coordinator.stop();
    this.#store = this.#newStore();
    this.#link = this.hub.link(this.identity.id);
    this.coordinator = this.#newCoordinator();
    await this.clock.until(stopped);
    await this.start();
  }

  async restart(): Promise<void> {
    await this.clock.until(this.coordinator.stop());
    this.#store = this.#newStore();
    this.#link = this.hub.link(this.identity.id);
    this.coordinator = this.#newCoordinator();
    await this.start();
  }

  aDevice(options: Partial<ScriptedDeviceOptions> = {}): ScriptedDevice {
    return new ScriptedDevice({
      clock: this.clock,
      random: this.random,
      link: (id) => this.hub.link(id),
      coordinator: this.identity.id,
      profiles: [{ ...aProfile({ model: 'tiny-detector', sha256: aModelSha256 }) }],
      ...options,
    });
  }

  async token(uses = 100, labels = {}): Promise<string> {
    const { word } = await this.clock.until(this.coordinator.tokens.create({ uses, lifetimeMs: 3_600_000, labels }));
    return word;
  }

  /** A device that has joined and takes work. */
  async joined(options: Partial<ScriptedDeviceOptions> = {}, labels = {}): Promise<ScriptedDevice> {
    const device = this.aDevice(options);
    await device.connect();
    await this.clock.until(device.join(await this.token(1, labels)));
    return device;
  }

  /** The task once it has ended. */
  async ended(id: string, withinMs = 600_000): Promise<Task> {
    return this.clock.until(this.coordinator.tasks.wait(id, withinMs, never), withinMs + 1_000);
  }

  async blob(text: string): Promise<{ digest: string; sizeBytes: number; mediaType: string }> {
    async function* content() {
      yield Buffer.from(text);
    }
    return this.clock.until(this.coordinator.blobs.put(content(), 'image/jpeg', never));
  }

  #newStore(): MemoryStore {
    return new MemoryStore(this.clock, this.disk, { writeMs: this.options.storeWriteMs ?? 0 });
  }

  #newCoordinator(): Coordinator {
    return createCoordinator(
      { ...defaultCoordinatorConfig, ...this.config },
      {
        clock: this.clock,
        random: this.random,
        logger: this.options.logger ?? silentLogger,
        identity: this.identity,
        links: [this.#link],
        store: this.#store,
        blobs: this.blobs,
        models: testModels,
        addresses: () => ['mqtt://127.0.0.1:1883'],
        ...(this.options.cut && { cut: this.options.cut }),
        ...(this.options.webhookSender && { webhookSender: this.options.webhookSender }),
      },
    );
  }
}

export async function aWorld(options: WorldOptions = {}): Promise<World> {
  return new World(options).start();
}
