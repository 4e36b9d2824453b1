import {
  type Link,
  MemoryHub,
  type MemoryHubOptions,
  Messenger,
  type MessengerOptions,
  newIdentity,
  type PeerKey,
  type SequenceStore,
  seededRandom,
  silentLogger,
} from '@shoal/protocol';
import { MemorySequenceStore, VirtualClock } from '@shoal/protocol/testing';

export const never = new AbortController().signal;

export interface PairOptions {
  readonly hub?: MemoryHubOptions;
  readonly device?: Partial<MessengerOptions>;
  readonly coordinator?: Partial<MessengerOptions>;
  readonly deviceSequences?: SequenceStore;
}

/** A device and a coordinator that know each other and speak over a memory link, in virtual time. Nothing is handled yet. */
export async function aPair(options: PairOptions = {}) {
  const clock = new VirtualClock();
  const hub = new MemoryHub(clock, options.hub);
  const random = seededRandom(1);
  const identities = { device: newIdentity('device', random), coordinator: newIdentity('coordinator', random) };
  const known = new Map<string, PeerKey>(Object.values(identities).map((identity) => [identity.id, identity]));
  const peers = { keyOf: (id: string) => known.get(id) };
  const make = async (
    identity: (typeof identities)['device'],
    messengerOptions: Partial<MessengerOptions> = {},
    sequences: SequenceStore = new MemorySequenceStore(),
  ) => {
    const link: Link = hub.link(identity.id);
    const messenger = new Messenger(
      { identity, link, peers, sequences, clock, logger: silentLogger },
      messengerOptions,
    );
    await link.start(never);
    await messenger.start(never);
    return { messenger, link };
  };
  const { messenger: device, link: deviceLink } = await make(
    identities.device,
    options.device,
    options.deviceSequences,
  );
  const { messenger: coordinator, link: coordinatorLink } = await make(identities.coordinator, options.coordinator);
  return { clock, hub, known, identities, device, deviceLink, coordinator, coordinatorLink, make };
}
