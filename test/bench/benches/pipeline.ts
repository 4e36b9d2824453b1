import { readFile } from 'node:fs/promises';
import { homedir, platform } from 'node:os';
import { createAgent, MemoryAgentStore } from '@shoal/agent';
import {
  createModelStore,
  createOnnxEngine,
  defaultCacheDirectory,
  FramePool,
  type LoadableModel,
  PictureDecoder,
  runFrame,
  runPicture,
} from '@shoal/models';
import {
  expectReply,
  type Link,
  type LinkListener,
  MemoryHub,
  Messenger,
  newIdentity,
  type Outgoing,
  type PeerId,
  sha256,
  silentLogger,
  type TaskOutcome,
  verifyAttestation,
} from '@shoal/protocol';
import { systemClock as clock, systemRandom as random } from '@shoal/protocol/real';
import { MemorySequenceStore } from '@shoal/protocol/testing';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { hasPhotos, photoFiles } from '../../support/photos.ts';
import { type Bench, type Figure, interleave, median, type Report, ratioFigure, timed } from '../harness.ts';

const rounds = 200;
/** Pictures that are not counted: an agent runs for months, and its first ones run code that is not compiled yet. */
const warmUpRounds = 150;
const frameRounds = 9;
const framesPerRound = 60;
const never = new AbortController().signal;
const logger = silentLogger;

export const pipeline: Bench = {
  name: 'pipeline',
  title: 'a 1280x720 JPEG to a signed result, and video frames, against bare sharp and bare session.run',
  missing: async () => ((await hasPhotos()) ? undefined : 'there are no pictures in ../shared/data/photos'),
  async run(report) {
    sharp.cache(false);
    sharp.concurrency(1);
    const folders = { platform: platform(), homeDirectory: homedir(), environment: process.env };
    const store = createModelStore({ clock, random, logger }, { cacheDirectory: defaultCacheDirectory(folders) });
    const model = await store.resolve('efficientdet-lite0', 'int8', { signal: never });
    const session = await InferenceSession.create(model.path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    return [await pictures(model, session, report), await frames(model, session, report)];
  },
};

/**
 * Bytes in, signed result out, through a whole agent: envelope opened, admitted, decoded, run, attested, sealed. The clock runs from the signed
 * frame that enters the agent's link to the signed frame that leaves it: sealing the one and checking the other is a coordinator's work, which
 * only happens to be done in this process.
 */
async function pictures(model: LoadableModel, session: InferenceSession, report: Report): Promise<Figure> {
  const jpeg = await hdPicture();
  const fleet = await agentAndItsCoordinator(model);
  const { width, height } = model.manifest.input;
  const pixels = new Uint8Array(width * height * 3);
  const contestants = {
    agent: () => fleet.analyse(jpeg),
    decode: () => timed(() => sharp(jpeg).resize(width, height, { fit: 'inside' }).raw().toBuffer()),
    inference: () => timed(() => runBare(session, pixels, width, height)),
  };
  await interleave(warmUpRounds, contestants);
  const samples = await interleave(rounds, contestants);
  await fleet.stop();
  report.noise('bare session.run', samples.inference);
  report.line(
    `p50 ms: agent ${median(samples.agent).toFixed(2)}, sharp ${median(samples.decode).toFixed(2)}, session.run ${median(samples.inference).toFixed(2)}`,
  );
  const floorMs = median(samples.decode) + median(samples.inference);
  return ratioFigure('1280x720 JPEG to signed result, p50', 'ms', median(samples.agent), floorMs, { atMost: 1.1 });
}

/** Frames that have the model's size already, as video delivers them, on one inference thread. */
async function frames(model: LoadableModel, session: InferenceSession, report: Report): Promise<Figure> {
  const { width, height } = model.manifest.input;
  const engine = createOnnxEngine({ logger }, { workers: 1, threadsPerWorker: 1 });
  const loaded = await engine.load(model, never);
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3));
  const placement = { sourceWidth: width, sourceHeight: height, scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };
  const one = () => runFrame({ clock }, loaded, { pixels, placement }, {}, never);
  const samples = await interleave(frameRounds, {
    // Two at a time, as a camera has them: while one is being run, the next is ready.
    shoal: () => rate(async () => void (await Promise.all([repeat(one), repeat(one)])), 2 * framesPerRound),
    bare: () => rate(() => repeat(() => runBare(session, pixels, width, height)), framesPerRound),
  });
  await loaded.release();
  await engine.dispose();
  report.noise('bare session.run rate', samples.bare);
  return ratioFigure('video frames on one inference thread', 'frames/s', median(samples.shoal), median(samples.bare), {
    atLeast: 0.95,
  });
}

async function repeat(action: () => Promise<unknown>): Promise<void> {
  for (let count = 0; count < framesPerRound; count++) await action();
}

async function rate(action: () => Promise<void>, count: number): Promise<number> {
  return (count / (await timed(action))) * 1000;
}

function runBare(session: InferenceSession, pixels: Uint8Array, width: number, height: number): Promise<unknown> {
  return session.run({ [session.inputNames[0] ?? '']: new Tensor('uint8', pixels, [1, height, width, 3]) });
}

async function hdPicture(): Promise<Buffer> {
  const [path] = await photoFiles();
  return sharp(await readFile(path ?? ''))
    .resize(1280, 720, { fit: 'cover' })
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** A real agent with the real engine, and somebody who speaks to it as a coordinator does, on a link in this process. */
async function agentAndItsCoordinator(model: LoadableModel) {
  const hub = new MemoryHub(clock, { maxFrameBytes: 4 << 20 });
  const device = newIdentity('device', random);
  const coordinator = newIdentity('coordinator', random);
  const link = hub.link(coordinator.id);
  const messenger = new Messenger({
    identity: coordinator,
    link,
    peers: { keyOf: (peer) => (peer === device.id ? device : undefined) },
    sequences: new MemorySequenceStore(),
    clock,
    logger,
  });
  const waiting = new Map<string, (outcome: TaskOutcome) => void>();
  messenger.handle(({ payload }): Outgoing | undefined => {
    if (payload.kind === 'hello')
      return { payload: { welcome: { telemetryIntervalMs: 60_000, livenessTimeoutMs: 120_000 } } };
    if (payload.kind === 'taskOutcome') waiting.get(payload.value.taskId)?.(payload.value);
    return undefined;
  });
  await link.start(never);
  await messenger.start(never);

  const pool = new FramePool(4);
  const deps = { clock, frames: pool, decoder: new PictureDecoder({ frames: pool }) };
  const agentLink = new StopwatchLink(hub.link(device.id));
  const agent = createAgent(
    { coordinator, software: 'shoal-agent/bench' },
    {
      clock,
      random,
      logger,
      identity: device,
      links: [agentLink],
      store: new MemoryAgentStore(),
      machine: idleMachine,
      engines: [createOnnxEngine({ logger })],
      // Nothing is held, so that the agent does not measure itself while it is measured.
      models: { knows: () => true, resolve: async () => model, held: async () => [] },
      runPicture: (...call) => runPicture(deps, ...call),
      pictures: { decode: (...call) => deps.decoder.decode(...call), giveBack: (frame) => pool.give(frame) },
      videos: { open: () => Promise.reject(new Error('no video here')) as never, decoders: async () => [] },
      encodePicture: () => Promise.reject(new Error('nobody watches here')),
    },
  );
  await agent.start(never);
  await agent.joined();
  let number = 0;
  return {
    /** Milliseconds from the assignment at the agent's link to the outcome at the agent's link. */
    async analyse(picture: Uint8Array): Promise<number> {
      const taskId = `task_${number++}`;
      const outcome = new Promise<TaskOutcome>((resolve) => waiting.set(taskId, resolve));
      const assignment = {
        taskId,
        attemptId: `${taskId}_1`,
        pipeline: 'detect',
        model: model.manifest.name,
        variant: model.variant.name,
        inputDigest: sha256(picture),
        inputSizeBytes: picture.length,
        inputMediaType: 'image/jpeg',
        timeLeftMs: 60_000,
        leaseMs: 60_000,
      };
      agentLink.cameMs = undefined;
      const reply = await messenger.request(
        device.id,
        { taskAssignment: assignment },
        { timeoutMs: 60_000, attachments: [picture] },
      );
      if (!expectReply(reply, 'taskAdmission').accepted) throw new Error('the agent refused the picture');
      const { result, attestation, errorMessage } = await outcome;
      // The outcome is the last thing that the agent said.
      const elapsedMs = agentLink.leftMs - (agentLink.cameMs ?? Number.NaN);
      if (errorMessage !== '') throw new Error(errorMessage);
      verifyAttestation(attestation, result, device);
      waiting.delete(taskId);
      return elapsedMs;
    },
    async stop(): Promise<void> {
      await agent.stop();
      await messenger.stop();
      await link.stop();
    },
  };
}

/** A link that notes when a first frame came in and when the last one went out. */
class StopwatchLink implements Link {
  readonly kind: Link['kind'];
  readonly name: string;
  readonly traits: Link['traits'];
  cameMs: number | undefined;
  leftMs = 0;
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
    this.kind = link.kind;
    this.name = link.name;
    this.traits = link.traits;
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#link.start(signal);
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }

  send(to: PeerId, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    this.leftMs = performance.now();
    return this.#link.send(to, frame, signal);
  }

  subscribe(listener: LinkListener): () => void {
    return this.#link.subscribe({
      ...listener,
      onFrame: (frame, from) => {
        this.cameMs ??= performance.now();
        listener.onFrame(frame, from);
      },
    });
  }
}

const idleMachine = {
  capability: async () => ({ hostName: 'bench', cores: 2 }),
  condition: async () => ({ cpuLoad: 0, memoryAvailableBytes: 1 << 30 }),
  measureEnergy: async () => async () => undefined,
  residentBytes: async () => undefined,
};
