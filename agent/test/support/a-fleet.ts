import {
  type Agent,
  type AgentConfig,
  type AgentPorts,
  type Condition,
  createAgent,
  type Machine,
  MemoryAgentStore,
  type ModelShelf,
} from '@shoal/agent';
import { createSimulatedEngine, type ModelManifest } from '@shoal/models';
import {
  type CameraAssignmentInit,
  type CameraReport,
  FleetPass,
  type Hello,
  type Incoming,
  isTokenProof,
  type Link,
  type Logger,
  MemoryHub,
  type MemoryHubOptions,
  Messenger,
  newIdentity,
  type Outgoing,
  type PeerKey,
  type ProfileReport,
  type SealPolicy,
  ShoalError,
  sealMembership,
  seededRandom,
  sha256,
  silentLogger,
  type TaskAdmission,
  type TaskAssignmentInit,
  type TaskOutcome,
  type Telemetry,
  utf8,
  type WelcomeInit,
} from '@shoal/protocol';
import { MemorySequenceStore, VirtualClock } from '@shoal/protocol/testing';
import { ScriptedVideos } from './scripted-videos.ts';

export const never = new AbortController().signal;

/** A detector as small as one can be, for the simulated engine. */
export const tinyDetector: ModelManifest = {
  schema: 1,
  name: 'tiny',
  version: '1.0.0',
  title: 'a detector for tests',
  task: 'detect',
  licence: { spdx: 'Apache-2.0', source: 'made up' },
  labels: ['person', 'dog'],
  input: {
    name: 'x',
    width: 8,
    height: 8,
    layout: 'NHWC',
    type: 'uint8',
    colour: 'rgb',
    fit: 'letterbox-top-left',
    padValue: 127,
  },
  head: {
    kind: 'anchor-detection',
    boxes: { name: 'b' },
    logits: { name: 'l' },
    anchors: { minLevel: 3, maxLevel: 3, scalesPerOctave: 1, aspectRatios: [1], anchorScale: 4 },
    nms: { iou: 0.5, perClass: true, maxDetections: 10 },
    defaultScore: 0.3,
  },
  variants: [
    {
      name: 'int8',
      precision: 'int8',
      format: 'onnx',
      sha256: 'ab'.repeat(32),
      sizeBytes: 1000,
      source: { kind: 'file', from: { url: 'file:tiny', sha256: 'ab'.repeat(32), sizeBytes: 1000 } },
      outputs: {},
      accuracy: [],
    },
  ],
};

export class ScriptedMachine implements Machine {
  condition_: Condition = { cpuLoad: 0.1, memoryAvailableBytes: 1 << 30 };
  cores = 4;

  async capability() {
    return { hostName: 'test', software: 'shoal-agent/test', cores: this.cores, powerSource: 'mains' };
  }
  async condition() {
    return this.condition_;
  }
  async measureEnergy() {
    return async () => undefined;
  }
  async residentBytes() {
    return undefined;
  }
}

/** What a coordinator is to one device: answers as it is told to, over real messages and signatures. */
export class ScriptedCoordinator {
  readonly identity = newIdentity('coordinator', seededRandom(99));
  readonly token = { tokenId: 'tok_1', secret: seededRandom(5).bytes(16) };
  readonly known = new Map<string, PeerKey>();
  readonly revoked = new Set<string>();
  /** Those that wait for approval. */
  readonly pending = new Set<string>();
  readonly hellos: Hello[] = [];
  readonly telemetry: Telemetry[] = [];
  readonly outcomes: TaskOutcome[] = [];
  readonly reports: CameraReport[] = [];
  readonly profiles: ProfileReport[] = [];
  readonly goodbyes: string[] = [];
  /** Everything from the device in the order in which it came. */
  readonly heard: string[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  blobRequests = 0;
  /** So many blob requests are refused as too many at once. */
  blobRefusals = 0;
  /** Answers blob requests only while this is true. */
  servesBlobs = true;
  welcome = { telemetryIntervalMs: 5_000, livenessTimeoutMs: 15_000, deviceName: 'pi-kitchen' };
  /** It has come to require everything to be sealed. */
  requiresSealing = false;
  /** Kinds of messages that came sealed. */
  readonly sealed = new Set<string>();
  readonly link: Link;
  readonly #clock: VirtualClock;
  readonly #sequences = new MemorySequenceStore();
  readonly #waiting: (() => void)[] = [];
  #messenger: Messenger;

  constructor(clock: VirtualClock, hub: MemoryHub) {
    this.#clock = clock;
    this.link = hub.link(this.identity.id);
    this.#messenger = this.#newMessenger();
  }

  #newMessenger(): Messenger {
    const messenger = new Messenger({
      identity: this.identity,
      link: this.link,
      peers: { keyOf: (id) => this.known.get(id) },
      sequences: this.#sequences,
      clock: this.#clock,
      logger: silentLogger,
      seal: this.#sealPolicy(),
    });
    messenger.handle((incoming) => this.#answer(incoming));
    return messenger;
  }

  #sealPolicy(): SealPolicy {
    const requires = () => this.requiresSealing;
    return {
      random: seededRandom(98),
      get required() {
        return requires();
      },
    };
  }

  async start(): Promise<void> {
    await this.link.start(never);
    await this.#messenger.start(never);
  }

  /** What it knew of what it was saying is gone, and every session. */
  async restart(): Promise<void> {
    await this.#messenger.stop();
    this.#messenger = this.#newMessenger();
    await this.#messenger.start(never);
  }

  /** For a day. */
  news(device: string): Pick<WelcomeInit, 'membership' | 'coordinatorTimeMs'> {
    const nowMs = this.#clock.nowMs();
    return { membership: sealMembership(this.identity, device, nowMs + 86_400_000), coordinatorTimeMs: nowMs };
  }

  get refused() {
    return this.#messenger.refused;
  }

  async offer(device: string, task: TaskAssignmentInit, attachments: Uint8Array[] = []): Promise<TaskAdmission> {
    const reply = await this.#messenger.request(device, { taskAssignment: task }, { timeoutMs: 10_000, attachments });
    if (reply.payload.kind !== 'taskAdmission') throw new Error(`answered with ${reply.payload.kind}`);
    return reply.payload.value;
  }

  cancel(device: string, attemptId: string) {
    return this.#messenger.request(
      device,
      { taskCancellation: { attemptId, reason: 'not needed' } },
      { timeoutMs: 10_000 },
    );
  }

  assign(device: string, camera: CameraAssignmentInit) {
    return this.#messenger.request(device, { cameraAssignment: camera }, { timeoutMs: 10_000 });
  }

  push(device: string, cameraId: string, ...attachments: readonly Uint8Array[]) {
    return this.#messenger.request(device, { pushedPicture: { cameraId } }, { timeoutMs: 10_000, attachments });
  }

  removeCamera(device: string, cameraId: string) {
    return this.#messenger.request(device, { cameraRemoval: { cameraId } }, { timeoutMs: 10_000 });
  }

  /** Resolves when `fact` is true, looked at after everything that is heard. */
  async until(fact: () => boolean): Promise<void> {
    while (!fact()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async #answer({ sender, payload, known, sealed }: Incoming): Promise<Outgoing | undefined> {
    this.heard.push(payload.kind);
    if (sealed) this.sealed.add(payload.kind);
    queueMicrotask(() => {
      for (const wake of this.#waiting.splice(0)) wake();
    });
    if (this.revoked.has(sender.id)) throw new ShoalError('device.revoked', 'this device was revoked');
    switch (payload.kind) {
      case 'hello':
        if (!known && !isTokenProof(payload.value.tokenProof, this.token.secret, sender.id)) {
          throw new ShoalError('token.refused', 'this token does not let you in');
        }
        this.known.set(sender.id, sender);
        if (this.pending.has(sender.id)) throw new ShoalError('device.pending', 'this device waits for approval');
        this.hellos.push(payload.value);
        return { payload: { welcome: { ...this.welcome, ...this.news(sender.id) } } };
      case 'telemetry':
        this.telemetry.push(payload.value);
        return undefined;
      case 'profileReport':
        this.profiles.push(payload.value);
        return undefined;
      case 'taskOutcome':
        this.outcomes.push(payload.value);
        return undefined;
      case 'cameraReport':
        this.reports.push(payload.value);
        return undefined;
      case 'goodbye':
        this.goodbyes.push(payload.value.reason);
        return undefined;
      case 'blobRequest': {
        this.blobRequests += 1;
        if (!this.servesBlobs) await new Promise(() => {});
        if (this.blobRefusals-- > 0) throw new ShoalError('queue.full', 'ask again');
        const { digest, offset, length } = payload.value;
        const blob = this.blobs.get(Buffer.from(digest).toString('hex'));
        if (!blob) throw new ShoalError('not-found', 'no such blob');
        return {
          payload: { blobChunk: { digest, offset, totalBytes: blob.length } },
          attachments: [blob.subarray(offset, offset + length)],
        };
      }
      default:
        throw new ShoalError('message.malformed', `not expected: ${payload.kind}`);
    }
  }
}

export interface FleetOptions {
  readonly hub?: MemoryHubOptions;
  readonly config?: Partial<AgentConfig>;
  readonly inferenceMs?: number;
  readonly loadMs?: number;
  /** Of the model on the device; `int8` alone when left out. */
  readonly variants?: readonly string[];
  readonly logger?: Logger;
  /** Shows to others that it belongs to the fleet. */
  readonly shows?: boolean;
  /** Leaves the agent to be started by the test. */
  readonly started?: boolean;
}

/** A coordinator and one agent that has joined it, in a world whose time stands still. */
export async function aFleet(options: FleetOptions = {}) {
  const clock = new VirtualClock();
  const hub = new MemoryHub(clock, options.hub);
  const coordinator = new ScriptedCoordinator(clock, hub);
  await coordinator.start();
  const identity = newIdentity('device', seededRandom(7));
  const machine = new ScriptedMachine();
  const videos = new ScriptedVideos(clock);
  const store = new MemoryAgentStore();
  /** Frames of pushed pictures that were given back: what they were filled with. */
  const givenBack: number[] = [];
  const pass = new FleetPass({ coordinator: coordinator.identity, device: identity.id, clock });
  const held = heldVariants(options.variants ?? ['int8']);
  const models: ModelShelf & { holds: boolean } = {
    holds: true,
    knows: (model, name) => model === 'tiny' && (name === '' || held.some(({ variant }) => variant.name === name)),
    async resolve(model, name) {
      const found = held.find(({ variant }) => name === '' || variant.name === name);
      if (model !== 'tiny' || !found) throw new ShoalError('model.unknown', 'no such model');
      return { ...found, path: 'nowhere' };
    },
    async held() {
      return models.holds ? held : [];
    },
  };
  const ports = (): AgentPorts => ({
    clock,
    random: seededRandom(3),
    logger: options.logger ?? silentLogger,
    identity,
    links: [hub.link(identity.id)],
    store,
    machine,
    engines: [
      createSimulatedEngine(
        { clock },
        {
          concurrency: 1,
          queueLimit: 16,
          loadMs: () => options.loadMs ?? 100,
          inferenceMs: () => options.inferenceMs ?? 20,
        },
      ),
    ],
    models,
    // Every input is a picture of the model's size: what a decoder would make of it is not the matter here.
    async runPicture(model, picture, parameters, signal) {
      const pixels = new Uint8Array(new SharedArrayBuffer(8 * 8 * 3));
      pixels.set(picture.subarray(0, pixels.length));
      const placement = { sourceWidth: 8, sourceHeight: 8, scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };
      const { output, inferenceMs } = await model.infer({ pixels, placement }, parameters, signal);
      return { output, width: 8, height: 8, timings: { decodeMs: 1, inferenceMs, headMs: 0 } };
    },
    videos,
    pictures: {
      async decode(picture, { width, height }) {
        if (picture[0] === 0) throw new ShoalError('input.corrupt', 'it ends early');
        const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3)).fill(picture[0] ?? 0);
        const placement = { sourceWidth: 16, sourceHeight: 16, scaleX: 0.5, scaleY: 0.5, offsetX: 0, offsetY: 0 };
        return { pixels, placement };
      },
      giveBack: ({ pixels }) => void givenBack.push(pixels[0] ?? 0),
    },
    encodePicture: async ({ pixels }) => Uint8Array.of(0xff, 0xd8, pixels[0] ?? 0),
    ...(options.shows && { pass }),
  });
  const make = (config: Partial<AgentConfig> = {}): Agent =>
    createAgent(
      {
        coordinator: coordinator.identity,
        token: coordinator.token,
        software: 'shoal-agent/test',
        ...options.config,
        ...config,
      },
      ports(),
    );
  const agent = make();
  if (options.started !== false) {
    await agent.start(never);
    await clock.until(agent.joined());
  }
  return { clock, hub, coordinator, identity, machine, videos, givenBack, store, models, agent, make };
}

function heldVariants(names: readonly string[]) {
  return tinyDetector.variants.flatMap((first) =>
    names.map((name, i) => ({
      manifest: tinyDetector,
      variant: { ...first, name, sha256: `${'abc'.charAt(i)}b`.repeat(32) },
    })),
  );
}

let tasks = 0;

/** An assignment of a new task, with its input. */
export function aTask(task: Partial<TaskAssignmentInit> = {}, input: Uint8Array = utf8(`picture ${tasks}`)) {
  tasks += 1;
  const assignment: TaskAssignmentInit = {
    taskId: `task_${tasks}`,
    attemptId: `att_${tasks}`,
    pipeline: 'detect',
    model: 'tiny',
    variant: 'int8',
    inputDigest: sha256(input),
    inputSizeBytes: input.length,
    inputMediaType: 'image/jpeg',
    ...task,
  };
  return { assignment, input, attemptId: assignment.attemptId ?? '' };
}

export const aNoop = () =>
  aTask({ pipeline: 'noop', model: '', variant: '', inputDigest: new Uint8Array(), inputSizeBytes: 0 });
