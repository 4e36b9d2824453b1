import type { Engine } from '@shoal/models';
import {
  Attester,
  type Clock,
  type DeviceLinkState,
  DeviceLinks,
  expectReply,
  type FleetPass,
  type Identity,
  type Incoming,
  type Link,
  type Logger,
  Messenger,
  type Outgoing,
  type PeerId,
  type PeerKey,
  type Random,
  retry,
  type Service,
  ServiceGroup,
  ShoalError,
  type TelemetryInit,
  type VariantProfile,
  type Welcome,
} from '@shoal/protocol';
import { type CameraOptions, Cameras, type EncodePicture } from './cameras/index.ts';
import { LoadedModels, type LoadedModelsOptions, type ModelShelf } from './loaded-models/index.ts';
import { type Condition, ConditionWatch, type Machine } from './machine/index.ts';
import {
  Farewell,
  Membership,
  type MembershipOptions,
  type MembershipState,
  Revocation,
  SoftwareProbe,
} from './membership/index.ts';
import { Outbox, type OutboxCounts, type OutboxOptions } from './outbox/index.ts';
import type { RunPicture } from './pipelines/index.ts';
import { type MeasureVariant, measureHere, ProfileBook, Profiler, type ProfilerOptions } from './profile/index.ts';
import type { AgentStore } from './store/index.ts';
import { type PictureReader, PushedVideos, type VideoSource } from './video/index.ts';
import { defaultAdmissionLimits, Work, type WorkOptions, type WorkPlaces } from './work/index.ts';

export interface AgentConfig {
  /** The pinned coordinator: nobody else is believed. */
  readonly coordinator: PeerKey;
  /** To join with; a device that has joined needs none. */
  readonly token?: { readonly tokenId: string; readonly secret: Uint8Array };
  /** Nothing is said to it, and believed of it, that is not sealed. A coordinator that asks for it has it later too. */
  readonly seal?: boolean;
  /** What a command may come late by, on top of its time: what the coordinator's clock may be wrong by, ms. Left out: two minutes. */
  readonly clockToleranceMs?: number;
  /** Name and version, for example `shoal-agent/0.1.0`. */
  readonly software: string;
  readonly membership?: Partial<MembershipOptions>;
  readonly outbox?: Partial<OutboxOptions>;
  readonly work?: Partial<Omit<WorkOptions, 'software'>>;
  readonly cameras?: Partial<Omit<CameraOptions, 'software'>>;
  readonly models?: Partial<LoadedModelsOptions>;
  readonly profiler?: Partial<ProfilerOptions>;
}

/** The world, as an agent sees it. */
export interface AgentPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly identity: Identity;
  /** There while the identity is new to the coordinator: the key that it follows, and what is to be done once it is known. */
  readonly succession?: { readonly former: Identity; readonly done: () => Promise<void> };
  /** To the coordinator, the preferred one first: when one dies, the next one is spoken over. At least one. */
  readonly links: readonly Link[];
  readonly store: AgentStore;
  readonly machine: Machine;
  /** The first that can run a model does. */
  readonly engines: readonly Engine[];
  readonly models: ModelShelf;
  /** Lets other agents have the models that are here; left out: they get none. */
  readonly sharing?: Service;
  /** What this device shows to others of its fleet; left out: it talks to none. */
  readonly pass?: FleetPass;
  readonly runPicture: RunPicture;
  readonly videos: VideoSource;
  /** Encoded pictures of cameras that send them by themselves. */
  readonly pictures: PictureReader;
  readonly encodePicture: EncodePicture;
  /** What this device has for work, when agents of other coordinators share it; left out: this agent has it alone. */
  readonly places?: WorkPlaces;
  /** How a variant is measured; left out: in this process. */
  readonly measure?: MeasureVariant;
}

export interface Agent extends Service {
  readonly id: PeerId;
  drain(signal: AbortSignal): Promise<void>;
  /** The coordinator's first welcome; rejects when it refuses this device: `token.refused`, `device.unknown`, `device.revoked`. */
  joined(): Promise<Welcome>;
  /** Resolves when the coordinator has revoked this device, its cameras and its work have ended and its cameras are forgotten. Only to be stopped then. */
  revoked(): Promise<void>;
  status(): AgentStatus;
}

export interface AgentStatus {
  readonly membership: MembershipState;
  readonly welcome: Welcome | undefined;
  readonly condition: Condition | undefined;
  readonly profiles: readonly VariantProfile[];
  readonly loadedModels: readonly string[];
  readonly running: number;
  readonly queued: number;
  readonly outbox: OutboxCounts;
  readonly cameras: TelemetryInit['cameras'];
  readonly links: readonly DeviceLinkState[];
}

/** How long a piece of an input is asked for, ms, and how often when it cannot be had just now; the task's deadline ends it sooner. */
const blobTimeoutMs = 30_000;
const blobTries = 8;
const defaultClockToleranceMs = 120_000;

/** Everything that is an agent, wired: in production, in the simulator and in tests alike. */
export function createAgent(config: AgentConfig, ports: AgentPorts): Agent {
  const { clock, random, logger, identity, store, machine, engines } = ports;
  const { coordinator, software } = config;
  const link = new DeviceLinks(ports.links, { coordinator: coordinator.id, clock, logger });
  let seals = config.seal ?? false;
  const messenger = new Messenger({
    identity,
    link,
    peers: { keyOf: (peer) => (peer === coordinator.id ? coordinator : undefined) },
    sequences: store.sequences,
    clock,
    logger,
    seal: { random, required: false, seals: () => seals },
    expiry: {
      role: 'answers',
      toleranceMs: config.clockToleranceMs ?? defaultClockToleranceMs,
      onExpired: () => membership.reportNow(),
    },
  });
  const revocation = new Revocation({
    speak: (payload, options) => messenger.request(coordinator.id, payload, options),
    logger,
    async end(why) {
      await Promise.all([membership.revoke(why), profiler.stop(), cameras.forget(), work.stop()]);
    },
  });
  const { speak } = revocation;
  const attester = new Attester(identity);
  const condition = new ConditionWatch(machine);
  const probe = new SoftwareProbe({
    engines,
    decoders: (signal) => ports.videos.decoders(signal),
    store: store.membership,
    logger,
  });
  const outbox = new Outbox({ courier: speak, store: store.outbox, clock, random, logger }, config.outbox);
  const book = new ProfileBook({ store: store.profiles, clock, logger });
  const models = new LoadedModels(
    {
      engines,
      shelf: ports.models,
      clock,
      logger,
      measuredBytes: (sha256) => book.measuredBytes(sha256),
      async freeBytes(signal) {
        const { memoryAvailableBytes } = await condition.read(signal);
        // A machine that does not know says 0.
        return memoryAvailableBytes > 0 ? memoryAvailableBytes : undefined;
      },
    },
    config.models,
  );
  const onInference = (
    { model }: { readonly model: { readonly manifest: { name: string }; readonly variant: { name: string } } },
    ms: number,
  ) => book.observe(model.manifest.name, model.variant.name, ms);
  const limits = config.work?.limits ?? defaultAdmissionLimits;
  const work = new Work(
    {
      attester,
      clock,
      logger,
      outbox,
      models,
      shelf: ports.models,
      runPicture: ports.runPicture,
      ...(ports.places && { places: ports.places }),
      condition,
      onInference,
      expectedMs: (model, variant) => book.find(model, variant)?.p50Ms,
      async askForBlob(piece, signal) {
        const again = { name: 'work: ask again for a piece', attempts: blobTries, signal };
        const reply = await retry({ clock, random }, again, () =>
          speak({ blobRequest: piece }, { timeoutMs: blobTimeoutMs, signal }),
        );
        expectReply(reply, 'blobChunk');
        return reply.attachments[0] ?? new Uint8Array();
      },
    },
    { ...config.work, software },
  );
  const videos = new PushedVideos({ videos: ports.videos, pictures: ports.pictures, clock, logger });
  const cameras = new Cameras(
    {
      attester,
      clock,
      random,
      logger,
      videos,
      encodePicture: ports.encodePicture,
      models,
      outbox,
      store: store.cameras,
      shelf: ports.models,
      onInference,
      mustWait: () => whyToRest(condition.latest, limits),
    },
    { ...config.cameras, software },
  );
  const membership = new Membership(
    {
      identity,
      coordinator: coordinator.id,
      token: config.token,
      succession: ports.succession,
      sequences: store.sequences,
      speak,
      link,
      clock,
      random,
      logger,
      store: store.membership,
      pass: ports.pass,
      machine,
      condition,
      software: probe,
      seal() {
        seals = true;
      },
      presence: () => ({
        profiles: book.all,
        attempts: [...work.attempts, ...outbox.attempts],
        cameras: cameras.statuses,
        running: work.running,
        queued: work.queued,
        outbox: outbox.counts.waiting,
        loadedModels: models.loaded,
        links: link.states,
      }),
    },
    config.membership,
  );
  book.onChange((profiles) => messenger.send(coordinator.id, { payload: { profileReport: { profiles } } }));
  const profiler = new Profiler(
    {
      book,
      measure: ports.measure ?? measureHere({ models, machine, clock }),
      shelf: ports.models,
      machine,
      clock,
      logger,
      occupation: () =>
        work.attempts.length > 0 || (ports.places?.taken ?? 0) > 0 ? 'tasks' : cameras.anyRunning ? 'cameras' : 'none',
    },
    config.profiler,
  );
  const farewell = new Farewell({ speak, logger, hasJoined: () => membership.state === 'joined' });

  messenger.handle((incoming) => answer(incoming, { work, cameras, models, videos }));

  // Drained from the last to the first: cameras end, work finishes, the outbox is emptied, then goodbye is said.
  const group = new ServiceGroup(
    { clock, logger },
    [
      link,
      messenger,
      ...(ports.sharing ? [ports.sharing] : []),
      farewell,
      outbox,
      models,
      work,
      cameras,
      profiler,
      membership,
    ],
    { name: 'agent' },
  );
  return {
    name: 'agent',
    id: identity.id,
    start: (signal) => group.start(signal),
    drain: (signal) => group.drain(signal),
    async stop() {
      await group.stop();
      await Promise.all(engines.map((engine) => engine.dispose()));
      await store.close();
    },
    joined: () => membership.joined(),
    revoked: () => revocation.over,
    status: () => ({
      membership: membership.state,
      welcome: membership.welcome,
      condition: condition.latest,
      profiles: book.all,
      loadedModels: models.loaded,
      running: work.running,
      queued: work.queued,
      outbox: outbox.counts,
      cameras: cameras.statuses,
      links: link.states,
    }),
  };
}

/** What the coordinator asks of a device. A task is answered in this very turn: admission and outcome share a signature when it is done at once. */
function answer(
  { payload, attachments }: Incoming,
  {
    work,
    cameras,
    models,
    videos,
  }: { readonly work: Work; readonly cameras: Cameras; readonly models: LoadedModels; readonly videos: PushedVideos },
): Promise<Outgoing | undefined> | Outgoing | undefined {
  switch (payload.kind) {
    case 'taskAssignment':
      return { payload: { taskAdmission: work.offer(payload.value, attachments) } };
    case 'taskCancellation':
      work.cancel(payload.value);
      return undefined;
    case 'modelHint':
      models.warm(payload.value.model, payload.value.variant);
      return undefined;
    case 'cameraAssignment':
      return cameras.assign(payload.value).then(() => undefined);
    case 'pictureRequest':
      return cameras.picture(payload.value);
    case 'cameraRemoval':
      return cameras.remove(payload.value.cameraId).then(() => undefined);
    case 'pushedPicture':
      videos.offer(payload.value.cameraId, attachments);
      return undefined;
    default:
      throw new ShoalError('message.malformed', `a device does not answer to ${payload.kind}`);
  }
}

/** A camera is long-lived: it waits for the device to recover rather than being refused. */
function whyToRest(condition: Condition | undefined, limits: typeof defaultAdmissionLimits): string | undefined {
  const { batteryPct, charging, temperatureC } = condition ?? {};
  if (batteryPct !== undefined && charging !== true && batteryPct < limits.batteryFloorPct) {
    return `the battery is at ${Math.round(batteryPct)} %, below its floor of ${limits.batteryFloorPct} %`;
  }
  if (temperatureC !== undefined && temperatureC >= limits.hotC) {
    return `the device is at ${Math.round(temperatureC)} °C, at or above its limit of ${limits.hotC} °C`;
  }
  return undefined;
}
