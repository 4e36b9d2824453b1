import type { KeyProofs, Logger, PeerId, ProvenKey } from '@shoal/protocol';
import { type Presence, parseTopic, presenceIn } from '@shoal/protocol/mqtt';
import type { AedesOptions, AuthenticateError, Client } from 'aedes';
import type { BrokerLink } from './broker-link.ts';
import type { CameraSenders } from './camera-senders.ts';
import { type Readers, readerName } from './readers.ts';

/** CONNACK return code of MQTT 3.1.1 §3.2.2.3. */
const badUsernameOrPassword = 4;

/** As they are retained: what came is a piece of something larger. */
const presencePayloads: Readonly<Record<Presence, Buffer>> = {
  online: Buffer.from('online'),
  offline: Buffer.from('offline'),
};

/** Who may connect, and who may say and hear what. */
export type BrokerRules = Pick<AedesOptions, 'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe'>;

/** A device with the proof of its key, under its own topics; a reader, who sees which devices are there. */
export function rulesOf(options: {
  readonly prefix: string;
  readonly proofs: KeyProofs;
  readonly logger: Logger;
  /** Who is connected as which device. */
  readonly link: Pick<BrokerLink, 'admit' | 'clientOf'>;
  readonly readers: Readers;
  readonly cameras: CameraSenders;
  /** Who belongs to the fleet. */
  readonly isMember: (device: PeerId) => boolean;
  /** A client has said who it is, and waits until that is looked at. */
  readonly onConnect: (client: Client, goOn: () => void) => void;
}): Required<BrokerRules> {
  const { prefix, proofs, logger, link, readers, cameras, isMember, onConnect } = options;
  /** Those that have shown a proof of now. */
  const timely = new WeakSet<Client>();

  /** Why this is not let in, if it is not. */
  function whyNot(client: Client, proven: ProvenKey): string | undefined {
    if (client.id !== proven.device) return 'the client id must be the device id';
    const present = link.clientOf(proven.device);
    const isOutdone = !proven.timely && present !== undefined && timely.has(present);
    return isOutdone ? 'the device is here, and its clock was right: this proof may be an old one' : undefined;
  }

  /** @returns why it is not let in */
  function admit(client: Client, username: string | undefined, password: string | undefined): string | undefined {
    if (username === readerName) return readers.whyNot(client, password ?? '');
    if (cameras.isName(username)) return cameras.whyNot(client, username, password ?? '');
    const outcome = proofs.check(username, password);
    const refused = 'refused' in outcome ? outcome.refused : whyNot(client, outcome);
    if (refused !== undefined) return refused;
    if ('timely' in outcome && outcome.timely) timely.add(client);
    link.admit(client);
    return undefined;
  }

  return {
    preConnect(client, packet, done) {
      // No session outlives its connection: nothing is kept here for a device that is away.
      packet.clean = true;
      const presence = packet.will && presenceIn(packet.will.payload);
      // As with what is retained: the piece that came would keep all that it came with.
      if (packet.will && presence) packet.will.payload = presencePayloads[presence];
      onConnect(client, () => done(null, true));
    },

    authenticate(client, username, password, done) {
      const refused = admit(client, username, password?.toString('latin1'));
      if (refused === undefined) {
        done(null, true);
        return;
      }
      logger.info('not let onto the broker', { username: username?.slice(0, 40), why: refused });
      done(Object.assign(new Error(refused), { returnCode: badUsernameOrPassword }) as AuthenticateError, null);
    },

    authorizePublish(client, packet, done) {
      if (client && cameras.has(client)) {
        const refused = cameras.take(client, packet.topic, Buffer.from(packet.payload));
        packet.retain = false;
        done(refused === undefined ? null : new Error(refused));
        return;
      }
      const topic = parseTopic(prefix, packet.topic);
      // A connection whose place another one has taken may say that the device is gone: it is not.
      const isOwn = topic !== undefined && topic.device === client?.id;
      const isOver = isOwn && (link.clientOf(topic.device) ?? client) !== client;
      if (!isOwn || isOver || topic.kind === 'down') {
        done(new Error('a device publishes under its own topics only'));
        return;
      }
      packet.retain = false;
      if (topic.kind === 'available') {
        const presence = presenceIn(packet.payload);
        if (!presence) {
          done(new Error('a device is online or offline'));
          return;
        }
        packet.payload = presencePayloads[presence];
        // Of a stranger nothing is left when it goes.
        packet.retain = presence === 'online' || isMember(topic.device);
      }
      done(null);
    },

    authorizeSubscribe(client, subscription, done) {
      const topic = parseTopic(prefix, subscription.topic);
      const isOwn = topic?.device === client.id && topic.kind === 'down';
      const isAllowed = readers.has(client) ? readers.maySubscribe(subscription.topic) : isOwn;
      // `null` is answered with the failure code of §3.9.3 and keeps the connection.
      done(null, isAllowed ? subscription : null);
    },
  };
}
