import {
  type Agent,
  type AgentConfig,
  type AgentStatus,
  createAgent,
  type ModelShelf,
  type PictureReader,
  type RunPicture,
} from '@shoal/agent';
import type { ModelManifest } from '@shoal/models/manifest';
import {
  type Clock,
  type Identity,
  type Link,
  type Logger,
  type MemoryHub,
  type PeerKey,
  type Random,
  ShoalError,
} from '@shoal/protocol';
import type { AgentDisk } from './agent-disk.ts';
import { CrashableClock, WallClock } from './crashable-clock.ts';
import { type ScriptedSources, scriptedVideos } from './scripted-videos.ts';
import { engineOf, type SharedProcessor } from './shared-processor.ts';
import type { MachineSpec, SimulatedMachine } from './simulated-machine.ts';
import { simulatedModels } from './simulated-models.ts';
import type { Wiretap } from './wiretap.ts';

interface Surroundings {
  readonly clock: Clock;
  readonly hubs: readonly MemoryHub[];
  readonly random: Random;
  readonly identity: Identity;
  readonly logger: Logger;
  readonly wiretap: Wiretap;
  readonly machine: SimulatedMachine;
  readonly disk: AgentDisk;
  readonly sources: ScriptedSources;
  readonly config: Pick<AgentConfig, 'outbox' | 'work'>;
  readonly coordinator: PeerKey;
  /** What it shares with the agents of other coordinators on its machine; left out: it is alone there. */
  readonly shared: SharedProcessor | undefined;
}

interface Process {
  readonly agent: Agent;
  readonly clock: CrashableClock;
  readonly links: readonly Link[];
}

const never = new AbortController().signal;

/** An agent that can crash and start again with what was durable and nothing else. Only its engine and its pictures are made up. */
export class AgentLife {
  readonly wall = new WallClock();
  readonly #surroundings: Surroundings;
  /** As its key files have them: the one that it has, and the one that is to take its place. */
  #keys: { readonly current: Identity; readonly next?: Identity };
  /** Of the keys that it had before these. */
  readonly #formerIds: string[] = [];
  #token: { readonly tokenId: string; readonly secret: Uint8Array } | undefined;
  #seals: boolean | undefined;
  #process: Process | undefined;
  /** Processes that crashed. What they waited for never came, and for as long as they wait Node keeps them and all that they know. */
  readonly #crashed: Process[] = [];

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#keys = { current: surroundings.identity };
  }

  /** Of the key that it uses, or will. */
  get id(): string {
    return (this.#keys.next ?? this.#keys.current).id;
  }

  /** Of every key that it has had, or will have. */
  get ids(): readonly string[] {
    return [...this.#formerIds, this.#keys.current.id, this.id];
  }

  /** It has a key that its coordinator may not know yet. */
  get isChangingKey(): boolean {
    return this.#keys.next !== undefined;
  }

  /** From its next start on it uses this key, and tells its coordinator. */
  prepareNewKey(next: Identity): void {
    this.#keys = { ...this.#keys, next };
  }

  get isUp(): boolean {
    return this.#process !== undefined;
  }

  get machine(): SimulatedMachine {
    return this.#surroundings.machine;
  }

  get disk(): AgentDisk {
    return this.#surroundings.disk;
  }

  /** `undefined` while it is down. */
  get status(): AgentStatus | undefined {
    return this.#process?.agent.status();
  }

  async joined(): Promise<void> {
    await this.#process?.agent.joined();
  }

  async start(token = this.#token, seals = this.#seals): Promise<void> {
    this.#token = token;
    this.#seals = seals;
    const { hubs, wiretap, random, logger, machine, disk, config, coordinator, sources, shared } = this.#surroundings;
    const { current, next } = this.#keys;
    const identity = next ?? current;
    machine.stalled = false;
    const clock = new CrashableClock(this.#surroundings.clock, this.wall);
    const links = hubs.map((hub) => wiretap.on(hub.link(identity.id), identity.id));
    const adopt = () =>
      new Promise<void>((resolve) => {
        clock.after('agent disk: adopt a key', disk.writeMs, () => {
          if (identity !== this.#keys.current) this.#formerIds.push(this.#keys.current.id);
          this.#keys = { current: identity };
          resolve();
        });
      });
    const { engine, places } = shared?.current ?? { engine: engineOf(clock, machine), places: undefined };
    const agent = createAgent(
      { ...config, coordinator, software: 'shoal-agent/simulated', ...(token && { token }), seal: seals ?? false },
      {
        ...{ clock, random, logger, identity, links, machine, runPicture, pictures, encodePicture },
        store: disk.open(clock),
        models: shelfOf(machine.spec),
        videos: scriptedVideos(clock, sources),
        engines: [engine],
        ...(places && { places }),
        ...(next && { succession: { former: current, done: adopt } }),
      },
    );
    this.#process = { agent, clock, links };
    try {
      await agent.start(never);
    } catch (error) {
      this.crash();
      throw error;
    }
  }

  crash(): void {
    if (!this.#process) return;
    const { clock, links } = this.#process;
    this.#crashed.push(this.#process);
    this.#process = undefined;
    clock.crash();
    this.disk.crash();
    for (const link of links) void link.stop();
  }

  /** Once the world is over: ends what every crashed process still waits for. */
  async bury(): Promise<void> {
    await Promise.all(
      this.#crashed.splice(0).map(({ agent, clock }) => {
        clock.bury();
        return agent.stop();
      }),
    );
  }
}

/** Every model of the catalogue but one can be had. */
function shelfOf({ lacks, holds }: MachineSpec): ModelShelf {
  const findHere = (model: string, variant: string) => (model === lacks ? undefined : find(model, variant));
  const held = simulatedModels.flatMap((manifest) =>
    manifest.variants.filter(({ name }) => holds?.(manifest.name, name)).map((variant) => ({ manifest, variant })),
  );
  return {
    knows: (model, variant) => findHere(model, variant) !== undefined,
    async resolve(model, variant) {
      const found = findHere(model, variant);
      if (!found) throw new ShoalError('model.unknown', `there is no ${model} ${variant}`);
      return { ...found, path: `simulated/${model}/${found.variant.name}` };
    },
    held: async () => held,
  };
}

function find(
  model: string,
  variantName: string,
): { manifest: ModelManifest; variant: ModelManifest['variants'][number] } | undefined {
  const manifest = simulatedModels.find(({ name }) => name === model);
  const variant = manifest?.variants.find(({ name }) => variantName === '' || name === variantName);
  return manifest && variant && { manifest, variant };
}

/** Cameras of a world are read, none sends its pictures by itself. */
const pictures: PictureReader = {
  async decode() {
    throw new ShoalError('input.unsupported', 'no camera of a world sends pictures');
  },
  giveBack() {},
};

/** A picture of the simulator is its bytes: nothing is decoded, the simulated engine takes its time. */
/** Nobody looks at simulated pictures. */
const encodePicture = async () => Uint8Array.of(0xff, 0xd8);

const runPicture: RunPicture = async (model, _picture, parameters, signal) => {
  const { width, height } = model.manifest.input;
  const placement = { sourceWidth: width, sourceHeight: height, scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3));
  const { output, inferenceMs, decodeMs } = await model.infer({ pixels, placement }, parameters, signal);
  return { output, width, height, timings: { decodeMs: 0, inferenceMs, headMs: decodeMs } };
};
