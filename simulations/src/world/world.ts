import { type AgentConfig, type AgentStore, WorkPlaces } from '@shoal/agent';
import {
  type Coordinator,
  type CoordinatorConfig,
  defaultCoordinatorConfig,
  MemoryBlobStore,
  MemoryDisk,
} from '@shoal/coordinator';
import { type Clock, createLogger, decodeJoinToken, type Identity, type Logger, MemoryHub } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { AgentDisk } from './agent-disk.ts';
import { AgentLife } from './agent-life.ts';
import { CoordinatorLife } from './coordinator-life.ts';
import { Dice } from './dice.ts';
import { calmNetwork, Network, type NetworkOptions } from './network.ts';
import type { ScriptedSources } from './scripted-videos.ts';
import { SharedProcessor } from './shared-processor.ts';
import { type SignatureKind, type Signatures, signaturesOf } from './signatures.ts';
import { type MachineSpec, type Reading, SimulatedMachine } from './simulated-machine.ts';
import { Wiretap } from './wiretap.ts';

export interface WorldOptions {
  /** Everything that is not decided by the code is decided by this number. */
  readonly seed: number;
  readonly machines: readonly MachineSpec[];
  /** So many place work on the same machines at once, each through an agent of its own there; left out: one. */
  readonly coordinators?: number;
  readonly network?: NetworkOptions;
  /** Networks that lie between the same peers; each has a link over every one of them, the first is preferred. Left out: one. */
  readonly networks?: number;
  readonly coordinator?: Partial<CoordinatorConfig>;
  readonly agent?: Pick<AgentConfig, 'outbox' | 'work'>;
  /** Left out: the real ones. */
  readonly signatures?: SignatureKind;
  readonly parts?: WorldParts;
}

/** What a world stands on; a test hands in parts that lie, to see whether it is found out. */
export interface WorldParts {
  /** What the coordinator's disk holds. */
  readonly disk?: MemoryDisk;
  /** What the disk of each device holds. */
  readonly agentStore?: () => AgentStore;
  /** What the sensors of each device say of its condition. */
  readonly reading?: Reading;
  /** The places for work of a device, by how many there are. */
  readonly workPlaces?: (concurrency: number) => WorkPlaces;
  /** The coordinator requires everything to be sealed, and its tokens say so. */
  readonly seals?: boolean;
  /** The clock of the coordinator. */
  readonly coordinatorClock?: (clock: Clock) => Clock;
}

/** What is logged of an error that nobody expected. */
const defective: ReadonlySet<string> = new Set([
  'a message handler failed',
  'a message could not be taken',
  'a task met a defect',
  'a camera could not be assigned',
]);

/** What its coordinators and agents are made from. */
interface Setting {
  readonly options: WorldOptions;
  readonly parts: WorldParts;
  readonly hubs: readonly MemoryHub[];
  readonly dice: (what: string) => Dice;
  readonly signatures: Signatures;
}

/**
 * A fleet in one process under virtual time: the real coordinator and the real agents, over a network and on disks that are data. The same seed
 * gives the same trace.
 */
export class World {
  readonly clock = new VirtualClock({ timersPerPoll: 16 });
  /** The preferred one of them. */
  readonly network: Network;
  readonly networks: readonly Network[];
  /** What the processes logged and what was done to them, in order, with virtual time. */
  readonly trace: string[] = [];
  /** What the processes themselves took for a defect in them. */
  readonly defects: string[] = [];
  readonly agents: readonly AgentLife[];
  /** What the coordinator knows when it has forgotten everything else. */
  readonly disk: MemoryDisk;
  readonly wiretap: Wiretap;
  readonly sources: ScriptedSources = { gone: false };
  /** Coordinators as processes on machines of their own. */
  readonly coordinatorLives: readonly CoordinatorLife[];
  /** By machine: what the agents there run in when there are several. */
  readonly #processors: readonly SharedProcessor[];
  readonly #specs: readonly MachineSpec[];
  readonly #signatures: Signatures;
  #over = false;

  private constructor(options: WorldOptions) {
    const dice = (what: string) => Dice.of(options.seed, what);
    const { networks = 1, network = calmNetwork } = options;
    this.networks = Array.from({ length: networks }, (_, at) => new Network(options.seed + at, this.clock, network));
    this.network = this.networks[0] as Network;
    const hubs = this.networks.map(
      (between) => new MemoryHub(this.clock, { maxFrameBytes: 1 << 20, route: (...frame) => between.route(...frame) }),
    );
    this.wiretap = new Wiretap(hubs[0] as MemoryHub, dice('wiretap'));
    const { parts = {} } = options;
    this.disk = parts.disk ?? new MemoryDisk();
    this.#signatures = signaturesOf(options.signatures ?? 'ed25519');
    const setting = { options, parts, hubs, dice, signatures: this.#signatures };
    const coordinators = this.#coordinatorsIn(setting);
    this.coordinatorLives = coordinators.map(({ life }) => life);
    this.#specs = options.machines;
    const machines = options.machines.map((spec) => new SimulatedMachine(spec, this.clock, parts.reading));
    this.#processors = this.#processorsOf(machines, setting);
    this.agents = this.#agentsOn(machines, coordinators, setting);
  }

  #coordinatorsIn({ options, parts, hubs, dice, signatures }: Setting) {
    const { coordinatorClock = (clock: Clock) => clock } = parts;
    return Array.from({ length: options.coordinators ?? 1 }, (_, place) => {
      const name = place === 0 ? 'coordinator' : `coordinator ${place}`;
      const identity = signatures.newIdentity('coordinator', dice(`key of the ${name}`));
      const life = new CoordinatorLife({
        clock: coordinatorClock(this.clock),
        hubs,
        wiretap: this.wiretap,
        random: dice(name),
        signatures,
        identity,
        config: { ...defaultCoordinatorConfig, seal: parts.seals ? 'required' : 'off', ...options.coordinator },
        disks: { store: place === 0 ? this.disk : new MemoryDisk(), blobs: new MemoryBlobStore() },
        logger: this.#logger(name),
      });
      return { identity, life };
    });
  }

  /** None where every machine has one agent, which has a processor of its own. */
  #processorsOf(machines: readonly SimulatedMachine[], { options, parts }: Setting): readonly SharedProcessor[] {
    const { workPlaces } = parts;
    if (this.coordinatorLives.length < 2 && !workPlaces) return [];
    const concurrency = options.agent?.work?.concurrency ?? 1;
    const makePlaces = () => workPlaces?.(concurrency) ?? new WorkPlaces(concurrency);
    return machines.map((machine) => new SharedProcessor(this.clock, machine, makePlaces));
  }

  /** On each machine one for each coordinator. */
  #agentsOn(
    machines: readonly SimulatedMachine[],
    coordinators: readonly { readonly identity: Identity }[],
    { options, parts, hubs, dice, signatures }: Setting,
  ): readonly AgentLife[] {
    return machines.flatMap((machine, place) =>
      coordinators.map(({ identity: coordinator }, which) => {
        const number = coordinators.length > 1 ? `${place} of coordinator ${which}` : place;
        return new AgentLife({
          clock: this.clock,
          hubs,
          wiretap: this.wiretap,
          random: dice(`agent ${number}`),
          machine,
          disk: new AgentDisk(dice(`disk ${number}`), parts.agentStore?.()),
          sources: this.sources,
          config: configOf(machine.spec, options.agent),
          identity: signatures.newIdentity('device', dice(`key ${number}`)),
          coordinator,
          shared: this.#processors[place],
          logger: this.#logger(`agent-${number}`),
        });
      }),
    );
  }

  /** A world in which every agent has joined. */
  static async create(options: WorldOptions): Promise<World> {
    const world = new World(options);
    for (const [which, life] of world.coordinatorLives.entries()) {
      await world.settle(life.start());
      const asked = { uses: options.machines.length, lifetimeMs: 3_600_000, labels: {} };
      const { tokenId, secret, seal } = decodeJoinToken(
        (await world.settle(life.coordinator.tokens.create(asked))).word,
      );
      for (const agent of world.agents.filter((_, place) => place % world.coordinatorLives.length === which)) {
        await world.settle(agent.start({ tokenId, secret }, seal));
        await world.settle(agent.joined());
      }
    }
    return world;
  }

  /** The first as a process; what it does is {@link coordinator}. */
  get coordinatorLife(): CoordinatorLife {
    const [life] = this.coordinatorLives;
    if (!life) throw new Error('a world without a coordinator');
    return life;
  }

  /** Machines with the agents on each, one for each coordinator. Agents that share a process crash together. */
  get machines(): readonly { readonly name: string; readonly agents: readonly AgentLife[]; crash(): void }[] {
    const each = this.coordinatorLives.length;
    return this.#specs.map(({ name }, place) => {
      const agents = this.agents.slice(place * each, (place + 1) * each);
      const crash = () => {
        for (const agent of agents) agent.crash();
        this.#processors[place]?.crash();
      };
      return { name, agents, crash };
    });
  }

  get coordinator(): Coordinator {
    return this.coordinatorLife.coordinator;
  }

  get coordinatorIsUp(): boolean {
    return this.coordinatorLife.isUp;
  }

  /** For a device of this world. */
  newDeviceKey(dice: Dice): Identity {
    return this.#signatures.newIdentity('device', dice);
  }

  /** Moves time on until the promise is settled. */
  settle<T>(promise: Promise<T>): Promise<T> {
    return this.clock.until(promise);
  }

  crashCoordinator(lastWrite: 'lost' | 'done' = 'lost'): void {
    this.note(`coordinator crashes, its last write is ${lastWrite}`);
    this.coordinatorLife.crash(lastWrite);
  }

  async restartCoordinator(): Promise<void> {
    this.note('coordinator starts again');
    await this.settle(this.coordinatorLife.start());
  }

  /** Ends every process, so that nothing of it is left to run or to be remembered. The trace is as long as it was. */
  async end(): Promise<void> {
    this.#over = true;
    const lives = [...this.agents, ...this.coordinatorLives];
    for (const life of lives) life.crash();
    await this.settle(Promise.all(lives.map((life) => life.bury())));
  }

  note(what: string): void {
    if (this.#over) return;
    this.trace.push(`${this.clock.monotonicMs().toFixed(3)} ${what}`);
  }

  #logger(process: string): Logger {
    return createLogger(({ level, message, fields }) => {
      if (this.#over) return;
      const line = `${process} ${level} ${message} ${JSON.stringify(fields)}`;
      this.note(line);
      if (defective.has(message)) this.defects.push(line);
    }, 'debug');
  }
}

/** Of pictures one more is worked on than the machine infers at a time, as in production. */
function configOf({ slots }: MachineSpec, config: WorldOptions['agent'] = {}): NonNullable<WorldOptions['agent']> {
  return slots === undefined ? config : { ...config, work: { ...config.work, concurrency: slots + 1 } };
}
