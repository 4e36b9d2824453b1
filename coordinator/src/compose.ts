import type { ModelManifest } from '@shoal/models/manifest';
import {
  type Clock,
  FollowingRoute,
  type Identity,
  type ImportPeerKey,
  importPeerKey,
  type Link,
  type Logger,
  Messenger,
  type PeerId,
  type Random,
  type SealPolicy,
  type Service,
  ServiceGroup,
  SeveralLinks,
} from '@shoal/protocol';
import { ApiKeyRing } from './access/index.ts';
import { BlobKeeper, type BlobStore, blobServer } from './blobs/index.ts';
import { CameraBook, Reports } from './cameras/index.ts';
import { type CoordinatorConfig, placementLimitsOf } from './config.ts';
import { Finder, type LocalNetwork } from './discovery/index.ts';
import type { Coordinator, Statistics } from './domain/index.ts';
import { EventBook } from './events/index.ts';
import { assessHealth } from './health/index.ts';
import { PictureDesk } from './pictures/index.ts';
import { indexModels } from './pipelines/index.ts';
import { type PlacementPolicy, strategyNamed } from './placement/index.ts';
import { JoinTokens, Memberships, Registry } from './registry/index.ts';
import { ResultShelf } from './results/index.ts';
import { routeMessages } from './router.ts';
import type { Store } from './store/index.ts';
import { Dispatcher, LiveTasks, Outcomes, TaskBook, TaskCounts } from './tasks/index.ts';
import { Upkeep } from './upkeep/index.ts';
import { noSender, WebhookBook, type WebhookSender } from './webhooks/index.ts';

/** The world, as a coordinator is handed it. It starts and stops the link, the store and the blobs. */
export interface CoordinatorPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly identity: Identity;
  /** To its devices. At least one; a device that has several moves between them. */
  readonly links: readonly Link[];
  readonly store: Store;
  readonly blobs: BlobStore;
  /** The models that tasks and cameras may ask for. */
  readonly models: readonly ModelManifest[];
  /** Where devices reach this coordinator, best first, for join tokens: `mqtt://host:port`. Asked when a token is made. */
  readonly addresses: () => readonly string[];
  /** Ends every connection of a device that is not wanted any more. Left out: its link cannot, and what it says is refused. */
  readonly cut?: (device: PeerId) => void;
  /** Where cameras are looked for. Left out: nowhere. */
  readonly network?: LocalNetwork;
  /** The way to the URLs of webhooks. Left out: there are none. */
  readonly webhookSender?: WebhookSender;
  /** Left out: Ed25519. */
  readonly importKey?: ImportPeerKey;
}

/** Room in a frame for what is said around an input or a piece of a blob, bytes. */
const frameOverheadBytes = 64 << 10;

/** Of a camera that sends its pictures by itself: 4K as JPEG. */
const largestPictureBytes = 8 << 20;

/** Wires a coordinator over its ports. It does nothing before `start`. */
export function createCoordinator(config: CoordinatorConfig, ports: CoordinatorPorts): Coordinator {
  const { clock, random, logger, identity, store, addresses, importKey = importPeerKey } = ports;
  const models = indexModels(ports.models);
  const link = new SeveralLinks(ports.links, new FollowingRoute(ports.links.length), clock);
  const placement: PlacementPolicy = {
    limits: placementLimitsOf(config),
    strategy: strategyNamed(config.strategy),
    weights: config.costWeights,
  };
  const carriedBytes = link.traits.maxFrameBytes - frameOverheadBytes;
  const counts = new TaskCounts();

  const tokens = new JoinTokens({ clock, random, identity, store, addresses, seal: config.seal !== 'off' });
  // The sequences are the store's, which has them once it is started.
  const sequences = {
    reserve: (count: number) => store.sequences.reserve(count),
    lastReceived: (peer: string) => store.sequences.lastReceived(peer),
    recordReceived: (peer: string, sequence: number) => store.sequences.recordReceived(peer, sequence),
  };
  const successions = { coordinator: identity.id, sequences };
  const { cut } = ports;
  const registry = new Registry(
    {
      ...{ clock, random, logger, store, tokens, successions, importKey, ...(cut && { cut }) },
      linksTo: (device) => link.kindsTo(device),
    },
    config,
  );
  const apiKeys = new ApiKeyRing({ clock, random, store });
  const results = new ResultShelf({ store, peers: registry });
  const blobs = new BlobKeeper(
    { clock, logger, store, bytes: ports.blobs },
    { limitBytes: config.blobLimitBytes, unusedAgeMs: config.unusedBlobAgeMs },
  );
  const seal: SealPolicy = { random, required: config.seal === 'required', seals: (peer) => registry.seals(peer) };
  const expiry = { role: 'asks' } as const;
  const messenger = new Messenger({
    identity,
    link,
    peers: registry,
    sequences,
    clock,
    logger,
    importKey,
    seal,
    expiry,
  });
  const live = new LiveTasks({ clock, logger, store, counts });
  const dispatcher = new Dispatcher(
    { clock, random, registry, messenger, blobs, live, counts },
    {
      placement,
      inlineInputBytes: Math.min(config.inlineInputBytes, carriedBytes),
      leaseMs: config.leaseMs,
      offerTimeoutMs: config.livenessTimeoutMs,
    },
  );
  const tasks = new TaskBook({ clock, random, logger, store, blobs, models, live, dispatcher, counts }, config);
  const outcomes = new Outcomes({ clock, random, logger, live, dispatcher, results, counts, models });
  const events = new EventBook({ clock, store });
  const reports = new Reports({ clock, random, logger, store, results, events, models });
  const cameras = new CameraBook(
    { clock, random, logger, store, registry, messenger, models, reports, events, keys: apiKeys },
    {
      cameraLimit: config.cameraLimit,
      placement,
      assignTimeoutMs: config.livenessTimeoutMs,
      largestPictureBytes: Math.min(largestPictureBytes, carriedBytes),
    },
  );
  const discovery = new Finder({ clock, random, logger, cameras, network: ports.network });
  const pictures = new PictureDesk({ clock, logger, messenger, cameras, devices: registry });
  const { webhookSender: sender = noSender } = ports;
  const webhooks = new WebhookBook({ clock, random, logger, store, sender, identity, events, cameras, pictures });
  const upkeep = new Upkeep({ clock, logger, store, blobs }, config.retention);

  registry.subscribe(dispatcher);
  registry.subscribe(cameras);
  messenger.handle(
    routeMessages({
      registry,
      memberships: new Memberships({ identity, clock, registry }),
      dispatcher,
      outcomes,
      cameras,
      serveBlob: blobServer(blobs, carriedBytes),
    }),
  );

  const core: Service = {
    name: 'core',
    async start(signal) {
      const state = await store.load();
      signal.throwIfAborted();
      tokens.load(state.tokens);
      apiKeys.load(state.apiKeys);
      webhooks.load(state.webhooks);
      registry.load(state.devices);
      cameras.load(state.cameras);
      await events.load(state.eventsGoingOn);
      tasks.load(state.unfinishedTasks);
      link.subscribe({
        onFrame: () => {},
        onPeer: (peer, reachable) => registry.linkHint(peer, reachable),
        // Counted and no more: what a device can do is what its signed hello says.
        onAdvert: () => (advertsHeard += 1),
      });
      registry.start();
      cameras.start();
      events.start();
      webhooks.start();
    },
    async drain(signal) {
      tasks.close();
      await dispatcher.drain(signal);
    },
    async stop() {
      const told = webhooks.stop();
      registry.stop();
      cameras.stop();
      events.stop();
      tasks.stop();
      dispatcher.stop();
      await told;
    },
  };
  const group = new ServiceGroup({ clock, logger }, [store, ports.blobs, core, messenger, link, upkeep], {
    name: 'coordinator',
  });

  let advertsHeard = 0;
  const statistics = (): Statistics => ({
    tasksSubmitted: counts.submitted,
    tasksEnded: { ...counts.ended },
    attemptsEnded: { ...counts.attempts },
    placementsMade: counts.placed,
    placementsFailed: counts.unplaced,
    resultsKept: counts.resultsKept + reports.kept,
    resultsDropped: counts.resultsDropped + reports.dropped,
    resultsRefused: counts.resultsRefused + reports.refused,
    commits: store.counts.commits,
    changesCommitted: store.counts.changes,
    advertsHeard,
    framesRefused: Object.fromEntries(messenger.refused),
  });

  return {
    name: 'coordinator',
    identity,
    devices: registry,
    tokens,
    tasks,
    results,
    events,
    cameras,
    discovery,
    pictures,
    blobs,
    models: ports.models,
    apiKeys,
    webhooks,
    statistics,
    health: () =>
      assessHealth({
        devices: registry.counts(),
        tasks: dispatcher.counts,
        cameras: cameras.counts(),
        liveTaskLimit: config.liveTaskLimit,
        storeFailure: store.counts.lastFailure?.why,
      }),
    start: (signal) => group.start(signal),
    drain: (signal) => group.drain(signal),
    stop: () => group.stop(),
  };
}
