import type { KeyProofs, Logger, ProvenKey } from '@shoal/protocol';
import { parseTopic } from '@shoal/protocol/mqtt';
import type { AedesOptions, AuthenticateError, Client } from 'aedes';
import type { BrokerLink } from './broker-link.ts';

/** CONNACK return code of MQTT 3.1.1 §3.2.2.3. */
const badUsernameOrPassword = 4;

/** Who may connect, and who may say and hear what. */
export type BrokerRules = Pick<AedesOptions, 'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe'>;

/** A device with the proof of its key, under its own topics. */
export function rulesOf(options: {
  readonly prefix: string;
  readonly proofs: KeyProofs;
  readonly logger: Logger;
  /** Who is connected as which device. */
  readonly link: Pick<BrokerLink, 'admit' | 'clientOf'>;
}): Required<BrokerRules> {
  const { prefix, proofs, logger, link } = options;
  /** Those that have shown a proof of now. */
  const timely = new WeakSet<Client>();

  /** Why this is not let in, if it is not. */
  function whyNot(client: Client, proven: ProvenKey): string | undefined {
    if (client.id !== proven.device) return 'the client id must be the device id';
    const present = link.clientOf(proven.device);
    const isOutdone = !proven.timely && present !== undefined && timely.has(present);
    return isOutdone ? 'the device is here, and its clock was right: this proof may be an old one' : undefined;
  }

  return {
    preConnect(_client, packet, done) {
      // No session outlives its connection: nothing is kept here for a device that is away.
      packet.clean = true;
      done(null, true);
    },

    authenticate(client, username, password, done) {
      const outcome = proofs.check(username, password?.toString('latin1'));
      const refused = 'refused' in outcome ? outcome.refused : whyNot(client, outcome);
      if (refused === undefined) {
        if ('timely' in outcome && outcome.timely) timely.add(client);
        link.admit(client);
        done(null, true);
        return;
      }
      logger.info('device not let onto the broker', { username: username?.slice(0, 40), why: refused });
      done(Object.assign(new Error(refused), { returnCode: badUsernameOrPassword }) as AuthenticateError, null);
    },

    authorizePublish(client, packet, done) {
      const topic = parseTopic(prefix, packet.topic);
      const isOwn = topic !== undefined && topic.device === client?.id && topic.kind !== 'down';
      // Who is there is known from the connections: what is retained would only grow.
      packet.retain = false;
      done(isOwn ? null : new Error('a device publishes under its own topics only'));
    },

    authorizeSubscribe(client, subscription, done) {
      const topic = parseTopic(prefix, subscription.topic);
      const isOwn = topic?.device === client.id && topic.kind === 'down';
      // `null` is answered with the failure code of §3.9.3 and keeps the connection.
      done(null, isOwn ? subscription : null);
    },
  };
}
