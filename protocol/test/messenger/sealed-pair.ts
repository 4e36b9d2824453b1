import {
  Body,
  Envelope,
  MemoryHub,
  Messenger,
  type MessengerOptions,
  newIdentity,
  type PeerKey,
  payloadOf,
  type SealPolicy,
  seededRandom,
  silentLogger,
} from '@shoal/protocol';
import { MemorySequenceStore, VirtualClock } from '@shoal/protocol/testing';

const never = new AbortController().signal;
export const ask = { timeoutMs: 60_000 };

/** What nobody on the wire may read. */
export const secret = 'the porch camera';

export interface SealedPairOptions {
  readonly route?: (from: string, to: string, sizeBytes: number) => readonly number[];
  readonly device?: Partial<SealPolicy> | 'open';
  readonly coordinator?: Partial<SealPolicy> | 'open';
  readonly messenger?: Partial<MessengerOptions>;
  readonly stranger?: boolean;
}

/** A device and a coordinator as processes that can be started again, and everything that is said on the wire. */
export async function aSealedPair(options: SealedPairOptions = {}) {
  const clock = new VirtualClock();
  const wire: { from: string; to: string; frame: Uint8Array }[] = [];
  const hub = new MemoryHub(clock, { route: options.route ?? (() => [1]) });
  const random = seededRandom(1);
  const identities = { device: newIdentity('device', random), coordinator: newIdentity('coordinator', random) };
  const known = new Map<string, PeerKey>(Object.values(identities).map((identity) => [identity.id, identity]));
  if (options.stranger) known.delete(identities.device.id);
  const sequences = { device: new MemorySequenceStore(), coordinator: new MemorySequenceStore() };

  async function start(who: 'device' | 'coordinator') {
    const identity = identities[who];
    const plain = hub.link(identity.id);
    const link = {
      ...{ name: plain.name, kind: plain.kind, traits: plain.traits },
      start: (signal: AbortSignal) => plain.start(signal),
      stop: () => plain.stop(),
      subscribe: plain.subscribe.bind(plain),
      async send(to: string, frame: Uint8Array, signal?: AbortSignal) {
        wire.push({ from: identity.id, to, frame: Uint8Array.from(frame) });
        await plain.send(to, frame, signal);
      },
    };
    const policy = options[who] ?? {};
    const peers = { keyOf: (id: string) => known.get(id) };
    const messenger = new Messenger(
      {
        ...{ identity, link, peers, sequences: sequences[who], clock, logger: silentLogger },
        ...(policy !== 'open' && { seal: { random, required: true, ...policy } }),
      },
      options.messenger,
    );
    await link.start(never);
    await messenger.start(never);
    messenger.handle(({ payload, sealed, attachments }) => {
      if (payload.kind === 'goodbye')
        return { payload: { goodbye: { reason: `${payload.value.reason} ${sealed}` } }, attachments };
      if (payload.kind === 'hello') known.set(identities.device.id, identities.device);
      return undefined;
    });
    const stop = async () => {
      await messenger.stop();
      await link.stop();
    };
    return { messenger, stop };
  }

  const device = await start('device');
  const coordinator = await start('coordinator');
  const said = (reason: string) => ({ goodbye: { reason } });
  return { clock, hub, wire, known, identities, sequences, start, device, coordinator, said };
}

/** What somebody on the wire learns of a frame: the kinds of its messages, or that it is sealed. */
export function kindsOf(frame: Uint8Array): (string | undefined)[] {
  const { messages, seal } = Body.decode(Envelope.decode(frame).body);
  return seal ? ['sealed'] : messages.map((message) => payloadOf(message)?.kind);
}

/** What may be said openly by those who seal. */
export const openKinds = new Set(['sessionOffer', 'sessionAnswer', 'sessionLost']);
