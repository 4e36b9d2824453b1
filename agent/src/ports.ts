import { execFile } from 'node:child_process';
import { homedir, hostname, platform } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Engine, LoadedModel, ModelStore } from '@shoal/models';
import {
  type Clock,
  FleetPass,
  type Identity,
  type Link,
  type Logger,
  type PeerKey,
  ShoalError,
} from '@shoal/protocol';
import type { Libp2pNode } from '@shoal/protocol/libp2p';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import type { AgentPorts } from './compose.ts';
import { realSystemReader } from './hardware/real/index.ts';
import type { ModelShelf } from './loaded-models/index.ts';
import { fetchingInChild } from './loaded-models/real/index.ts';
import type { ModelSharing } from './loaded-models/sharing/index.ts';
import { createSystemMachine } from './machine/index.ts';
import type { RunPicture } from './pipelines/index.ts';
import type { Measured, MeasureVariant } from './profile/index.ts';
import type { AgentStore } from './store/index.ts';
import type { PictureReader, VideoSource } from './video/index.ts';

export interface PortsOptions {
  readonly identity: Identity;
  readonly coordinator: PeerKey;
  /** Where the coordinator is, best first. */
  readonly addresses: readonly string[];
  readonly store: AgentStore;
  readonly logger: Logger;
  readonly dataFolder: string;
  readonly software: string;
  /** Name that the device gives itself; the host's when left out. */
  readonly name?: string | undefined;
  /** There when the identity is a new one. */
  readonly succession?: AgentPorts['succession'];
  /** What other agents may fetch from here in a second, bytes; 0: nothing. Left out: 8 MB. */
  readonly uploadBytesPerSecond?: number | undefined;
}

/** The node that other agents are reached by, when one of the links has one. */
interface Network {
  libp2p?: Libp2pNode;
}

/** Idle frames that the picture decoder keeps. */
const idleFrames = 4;
/** Ways to a broker. */
const mqttSchemes: ReadonlySet<string> = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:']);
/** Other devices of the fleet may come, on any port that is free; few at once. */
const libp2pOptions = { listen: { host: '0.0.0.0', port: 0 }, limits: { maxConnections: 64, maxHandshakes: 32 } };

/**
 * The real world for an agent. What only some agents need (models, engines, pictures, video) is loaded when it is needed: one that waits for
 * work is small.
 */
export async function openPorts(options: PortsOptions): Promise<AgentPorts> {
  const { identity, store, logger, software, dataFolder, name, succession } = options;
  const clock = systemClock;
  const models = lazyModels(logger);
  const network: Network = {};
  const [links, shelf] = await Promise.all([openLinks(options, clock, network), models.shelf()]);
  const pass = new FleetPass({ coordinator: options.coordinator, device: identity.id, clock });
  const shown = store.membership.shown();
  if (shown) pass.restore(shown);
  const sharing = network.libp2p && (await models.sharing(network.libp2p, pass, options));
  const fetching = fetchingInChild({ shelf, logger });
  return {
    clock,
    random: systemRandom,
    logger,
    identity,
    ...(succession && { succession }),
    links,
    store,
    machine: createSystemMachine(
      { reader: realSystemReader(), clock },
      { hostName: name ?? hostname(), dataFolder, software },
    ),
    engines: [models.engine],
    models: sharing?.askingFirst(fetching) ?? fetching,
    ...(sharing && { sharing: sharing.service, pass }),
    runPicture: models.runPicture,
    pictures: models.pictures,
    videos: lazyVideos(clock, logger),
    encodePicture: async (part) => (await import('@shoal/models')).encodeJpeg(part),
    measure: measureInChild,
  };
}

/**
 * A link for each kind of address, in the order in which they come. A kind that this agent does not know is one of a later version.
 * @throws `token.invalid` when it knows none of them
 */
async function openLinks(options: PortsOptions, clock: Clock, network: Network): Promise<readonly Link[]> {
  const byKind = Map.groupBy(options.addresses, kindOf);
  const links: Link[] = [];
  for (const [kind, addresses] of byKind) {
    const link = await openLink(kind, addresses, options, clock, network);
    if (link) links.push(link);
    else
      options.logger.warn('this agent does not speak a kind of link that its token names', {
        addresses: addresses.join(' '),
      });
  }
  if (links.length > 0) return links;
  throw new ShoalError('token.invalid', `this agent speaks none of ${options.addresses.join(', ') || 'no addresses'}`);
}

function kindOf(address: string): string {
  const { protocol } = new URL(address);
  return mqttSchemes.has(protocol) ? 'mqtt:' : protocol;
}

async function openLink(
  kind: string,
  addresses: readonly string[],
  { identity, coordinator, logger }: PortsOptions,
  clock: Clock,
  network: Network,
): Promise<Link | undefined> {
  switch (kind) {
    case 'mqtt:': {
      const { createMqttDeviceLink } = await import('@shoal/protocol/mqtt');
      const [url = '', ...otherUrls] = addresses;
      return createMqttDeviceLink({
        url,
        otherUrls,
        identity,
        coordinator: coordinator.id,
        clock,
        logger,
      });
    }
    case 'coap:': {
      const { createCoapDeviceLink } = await import('@shoal/protocol/coap');
      // It goes through them by itself: who listens on UDP is seen only when it answers.
      return createCoapDeviceLink({
        urls: addresses,
        identity,
        coordinator: coordinator.id,
        clock,
        random: systemRandom,
        logger,
      });
    }
    case 'libp2p:': {
      const { createLibp2pDeviceLink, Libp2pNode } = await import('@shoal/protocol/libp2p');
      const { publicKey } = coordinator;
      const node = new Libp2pNode({ identity, coordinator: publicKey, clock, logger, ...libp2pOptions });
      network.libp2p = node;
      return createLibp2pDeviceLink({ node, coordinator, addresses, clock, logger });
    }
    default:
      return undefined;
  }
}

/** A load on a slow device, on top of the time that measuring may take, ms. */
const measureGraceMs = 120_000;

/** Measures in a process of its own: what the runtime took is given back, and what it crashes is not the agent. */
const measureInChild: MeasureVariant = async ({ manifest, variant }, options, signal) => {
  const script = fileURLToPath(new URL(`measure-main${extname(import.meta.url)}`, import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...process.execArgv, script, manifest.name, variant.name, JSON.stringify(options)],
      { signal, timeout: options.budgetMs + measureGraceMs },
    );
    return JSON.parse(stdout) as Measured;
  } catch (cause) {
    signal.throwIfAborted();
    const last = (cause as { stderr?: string }).stderr
      ?.trim()
      .split('\n')
      .find((line) => /error/i.test(line));
    throw new ShoalError('engine.failed', last ?? 'the process that measures it ended early', {}, { cause });
  }
};

interface LazyModels {
  readonly engine: Engine;
  readonly runPicture: RunPicture;
  readonly pictures: PictureReader;
  shelf(): Promise<ModelShelf>;
  sharing(
    node: Libp2pNode,
    fleet: FleetPass,
    options: Pick<PortsOptions, 'coordinator' | 'uploadBytesPerSecond'>,
  ): Promise<ModelSharing>;
}

export function lazyModels(logger: Logger): LazyModels {
  const clock = systemClock;
  const folders = { platform: platform(), homeDirectory: homedir(), environment: process.env };
  const loaded = once(() => import('@shoal/models'));
  const cacheDirectory = async () => (await loaded()).defaultCacheDirectory(folders);
  const manifests = once(async () => {
    const { knownManifests, manifestDirectory } = await import('@shoal/models/manifest');
    return knownManifests(manifestDirectory(folders), logger);
  });
  const store = once(async (): Promise<ModelStore> => {
    const { Catalogue, createModelStore } = await loaded();
    const catalogue = new Catalogue(await manifests());
    return createModelStore(
      { clock, random: systemRandom, logger },
      { cacheDirectory: await cacheDirectory(), catalogue },
    );
  });
  const pictures = once(async () => {
    const { FramePool, PictureDecoder, runPicture } = await loaded();
    const frames = new FramePool(idleFrames);
    const decoder = new PictureDecoder({ frames });
    const run = (model: LoadedModel, picture: Uint8Array, ...rest: Tail<Parameters<RunPicture>>) =>
      runPicture({ clock, frames, decoder }, model, picture, ...rest);
    return { frames, decoder, run };
  });
  return {
    engine: lazyEngine('onnx', async () =>
      (await loaded()).createOnnxEngine({ logger }, { preparedDirectory: join(await cacheDirectory(), 'prepared') }),
    ),
    runPicture: async (...call) => (await pictures()).run(...call),
    pictures: {
      decode: async (...call) => (await pictures()).decoder.decode(...call),
      giveBack: (frame) => void pictures().then(({ frames }) => frames.give(frame)),
    },
    async sharing(node, fleet, { coordinator, uploadBytesPerSecond }) {
      const { shareModels } = await import('./loaded-models/sharing/index.ts');
      const { Libp2pBlockPeers } = await import('@shoal/protocol/blocks');
      const peers = new Libp2pBlockPeers(node, { coordinator: coordinator.publicKey, fleet, clock, logger });
      return shareModels(
        { peers, clock, random: systemRandom, logger },
        { cacheDirectory: await cacheDirectory(), manifests: await manifests(), uploadBytesPerSecond },
      );
    },
    async shelf() {
      const known = new Set(
        (await manifests()).flatMap(({ name, variants }) => [
          `${name}/`,
          ...variants.map((variant) => `${name}/${variant.name}`),
        ]),
      );
      return {
        knows: (model, variant) => known.has(`${model}/${variant}`),
        resolve: async (model, variant, signal) => (await store()).resolve(model, variant || undefined, { signal }),
        held: async () => (await store()).held(),
      };
    },
  };
}

type Tail<List extends readonly unknown[]> = List extends readonly [unknown, unknown, ...infer Rest] ? Rest : never;

/** An engine that is made by the first who needs it. */
function lazyEngine(name: string, make: () => Promise<Engine>): Engine {
  const engine = once(make);
  return {
    name,
    capabilities: async (signal) => (await engine()).capabilities(signal),
    load: async (model, signal) => (await engine()).load(model, signal),
    dispose: async () => {
      if (engine.made()) await (await engine()).dispose();
    },
  };
}

function lazyVideos(clock: Clock, logger: Logger): VideoSource {
  const source = once(async () => {
    const { createFfmpegSource } = await import('./video/real/index.ts');
    return createFfmpegSource({ clock, logger });
  });
  return {
    open(request, signal) {
      let stream: ReturnType<VideoSource['open']> | undefined;
      return {
        get dropped() {
          return stream?.dropped ?? 0;
        },
        get complaint() {
          return stream?.complaint;
        },
        get format() {
          return stream?.format;
        },
        get cpuMs() {
          return stream?.cpuMs;
        },
        async *[Symbol.asyncIterator]() {
          stream = (await source()).open(request, signal);
          yield* stream;
        },
      };
    },
    decoders: async (signal) => (await source()).decoders(signal),
  };
}

/** Made once, by the first call; a failure is not kept. */
function once<T>(make: () => Promise<T>): (() => Promise<T>) & { made(): boolean } {
  let made: Promise<T> | undefined;
  const get = () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
  return Object.assign(get, { made: () => made !== undefined });
}
