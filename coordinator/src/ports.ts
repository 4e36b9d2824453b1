import { homedir, platform } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { knownManifests, manifestDirectory } from '@shoal/models/manifest';
import {
  asShoalError,
  type ImportPeerKey,
  importPeerKey,
  type Link,
  type PeerId,
  rememberKeys,
  type Service,
} from '@shoal/protocol';
import { createMqttCoordinatorLink, defaultTopicPrefix } from '@shoal/protocol/mqtt';
import { Announcer, topicsUnder } from './announce/index.ts';
import { FileBlobStore } from './blobs/real/index.ts';
import { createEmbeddedBroker, type EmbeddedBrokerOptions } from './broker/index.ts';
import { makeOwnTls } from './broker/real/index.ts';
import type { OpenCoordinator, OpenCoordinatorRequest } from './cli/index.ts';
import { createCoordinator } from './compose.ts';
import { defaultCoordinatorConfig } from './config.ts';
import { createLocalNetwork } from './discovery/real/index.ts';
import type { Coordinator } from './domain/index.ts';
import { SqliteStore } from './store/sqlite/index.ts';
import { createWebhookSender } from './webhooks/real/index.ts';

/** Reports that a device may leave out before it is given up for lost. */
const beatsUntilSilent = 5;
/** Connections beside those of the devices that may join: old ones that have not ended yet, strangers. */
const spareConnections = 500;
/** Keys that have just been imported: a device that comes back shows its key to the broker, and then to the coordinator. */
const keysAtHand = 1_024;

/** A coordinator over the real world: SQLite, a folder of files, and its own broker or the one that is named. */
export const openCoordinator: OpenCoordinator = async (request) => {
  const { clock, random, logger, identity, dataDirectory, uploadLimitBytes, seal, strategy, weights } = request;
  if (request.deviceLimit > defaultCoordinatorConfig.deviceLimit) favourMemory();
  const importKey = rememberKeys(importPeerKey, keysAtHand);
  // The links are there before who is asked about them.
  let opened: Pick<Coordinator, 'devices' | 'apiKeys' | 'cameras'> | undefined;
  const { links, services, cut, addresses } = await connect(request, {
    importKey,
    isMember: (peer) => opened?.devices.isMember(peer) === true,
    isReader: (key) => opened?.apiKeys.verify(key) !== undefined,
    cameras: {
      mayPush: (key, camera) => opened?.apiKeys.mayPush(key, camera) === true,
      push(camera, picture) {
        try {
          opened?.cameras.push(camera, picture);
        } catch (error) {
          logger.debug('a picture is not taken', { camera, why: asShoalError(error).message });
        }
      },
    },
  });
  const { deviceLimit, telemetryIntervalMs } = request;
  const folders = { platform: platform(), homeDirectory: homedir(), environment: process.env };
  const coordinator = createCoordinator(
    {
      ...defaultCoordinatorConfig,
      deviceLimit,
      telemetryIntervalMs,
      livenessTimeoutMs: beatsUntilSilent * telemetryIntervalMs,
      blobLimitBytes: uploadLimitBytes,
      seal,
      strategy,
      ...(weights && { costWeights: weights }),
    },
    {
      clock,
      random,
      logger,
      identity,
      links,
      store: new SqliteStore(clock, { path: join(dataDirectory, 'coordinator.sqlite'), logger }),
      blobs: new FileBlobStore(random, join(dataDirectory, 'blobs')),
      models: knownManifests(manifestDirectory(folders), logger),
      addresses,
      cut,
      network: createLocalNetwork({ random, logger }),
      importKey,
      webhookSender: createWebhookSender({ allowPrivateAddresses: request.allowPrivateUrls }),
    },
  );
  opened = coordinator;
  const announcer = await announcerOf(request, coordinator);
  return { coordinator, services: [...services, coordinator, ...announcer], mqttUrls: addresses };
};

/** Nothing when it is not wanted. */
async function announcerOf(
  { announce, clock, logger }: OpenCoordinatorRequest,
  coordinator: Coordinator,
): Promise<Service[]> {
  if (!announce) return [];
  const { createMqttTopics } = await import('./announce/real/index.ts');
  const options = {
    prefix: defaultTopicPrefix,
    discoveryPrefix: 'homeassistant',
    frigatePrefix: announce.frigate ? 'frigate' : undefined,
  };
  const { available: availableTopic } = topicsUnder(options.prefix);
  const publisher = createMqttTopics({ url: announce.url, availableTopic, logger });
  return [new Announcer({ clock, logger, publisher, coordinator }, options)];
}

/** How devices reach this coordinator. `services` are started before it: what its links stand on. */
interface Connection {
  readonly links: readonly Link[];
  readonly services: readonly Service[];
  /** Ends the connections of a device; a broker that is not ours does not do that for us. */
  readonly cut?: (device: PeerId) => void;
  readonly addresses: () => readonly string[];
}

/**
 * For very large fleets: V8 otherwise keeps its heap at twice of what is in it. It collects more often then, which costs some percent of the time of a
 * coordinator that is busy.
 */
function favourMemory(): void {
  setFlagsFromString('--optimize-for-size');
}

interface WhoIsWho {
  readonly importKey: ImportPeerKey;
  readonly isMember: (peer: PeerId) => boolean;
  readonly isReader: (apiKey: string) => boolean;
  readonly cameras: NonNullable<EmbeddedBrokerOptions['cameras']>;
}

async function connect(request: OpenCoordinatorRequest, who: WhoIsWho): Promise<Required<Connection>> {
  const { isMember } = who;
  const kinds = [
    connectMqtt(request, who),
    ...(await connectCoap(request, isMember)),
    ...(await connectLibp2p(request, isMember)),
  ];
  return {
    links: kinds.flatMap(({ links }) => links),
    services: kinds.flatMap(({ services }) => services),
    cut(device) {
      for (const kind of kinds) kind.cut?.(device);
    },
    addresses: () => kinds.flatMap(({ addresses }) => addresses()),
  };
}

function connectMqtt(
  { broker: choice, deviceLimit, identity, clock, random, logger }: OpenCoordinatorRequest,
  who: WhoIsWho,
): Connection {
  switch (choice.kind) {
    case 'external': {
      const link = createMqttCoordinatorLink({ url: choice.url, identity, clock, random, logger });
      return { links: [link], services: [], addresses: () => choice.addresses };
    }
    case 'embedded': {
      const { host, port, portSearch, also, tls = makeOwnTls(identity), addresses } = choice;
      const limits = { maxConnections: connectionsFor(deviceLimit) };
      const broker = createEmbeddedBroker({ host, port, portSearch, also, tls, clock, logger, limits, ...who });
      return {
        links: [broker.link()],
        services: [broker],
        cut: (device) => broker.cut(device),
        addresses: () => addresses(broker.listening),
      };
    }
  }
}

/** All of the fleet, and some who want to belong to it. */
function connectionsFor(deviceLimit: number): number {
  return Math.max(10_000, deviceLimit + spareConnections);
}

/** Nothing when it is not wanted. */
async function connectCoap(
  { coap, deviceLimit, clock, random, logger }: OpenCoordinatorRequest,
  isMember: (peer: PeerId) => boolean,
): Promise<Connection[]> {
  if (!coap) return [];
  const { createCoapCoordinatorLink } = await import('@shoal/protocol/coap');
  const limits = { maxDevices: connectionsFor(deviceLimit) };
  const link = createCoapCoordinatorLink({ host: coap.host, port: coap.port, clock, random, logger, isMember, limits });
  return [
    { links: [link], services: [], cut: (device) => link.cut(device), addresses: () => coap.addresses(link.port) },
  ];
}

/** Nothing when it is not wanted. */
async function connectLibp2p(
  { libp2p, deviceLimit, identity, clock, logger }: OpenCoordinatorRequest,
  isMember: (peer: PeerId) => boolean,
): Promise<Connection[]> {
  if (!libp2p) return [];
  const { createLibp2pCoordinatorLink, Libp2pNode } = await import('@shoal/protocol/libp2p');
  const coordinator = identity.publicKey;
  const limits = { maxConnections: connectionsFor(deviceLimit) };
  const node = new Libp2pNode({ identity, coordinator, clock, logger, listen: libp2p, isMember, limits });
  const link = createLibp2pCoordinatorLink({ node, logger });
  const addresses = () => libp2p.addresses(node.port ?? libp2p.port);
  return [{ links: [link], services: [], cut: (device) => node.cut(device), addresses }];
}
