import { isIPv4, isIPv6 } from 'node:net';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { ShoalError } from '../../errors/index.ts';

/** The address of who is to be found by mDNS: somewhere on this network, known by its key alone. */
const mdnsAddress = 'libp2p:mdns';

/** Where a node listens: `libp2p://host:port`, one form for people, tokens and logs. */
export interface Libp2pAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `libp2p://host:port`; `undefined` for `libp2p:mdns`, which names no place.
 * @throws `input.invalid` when it is neither.
 */
export function parseLibp2pAddress(address: string): Libp2pAddress | undefined {
  if (address === mdnsAddress) return undefined;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const port = Number(url?.port);
  if (url?.protocol !== 'libp2p:' || url.hostname === '' || !(port > 0)) {
    throw new ShoalError('input.invalid', `a libp2p address looks like libp2p://host:4001 or ${mdnsAddress}`, {
      field: 'address',
    });
  }
  // Brackets belong to the URL, not to the IPv6 address.
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port };
}

/** `/ip4/192.168.1.2/tcp/4001`, `/dns/host/tcp/4001` ... */
export function multiaddrOf({ host, port }: Libp2pAddress): Multiaddr {
  const kind = isIPv4(host) ? 'ip4' : isIPv6(host) ? 'ip6' : 'dns';
  return multiaddr(`/${kind}/${host}/tcp/${port}`);
}

/** Addresses that a peer named; what is none is left out: one bad address does not spoil the others. */
export function readMultiaddrs(texts: readonly string[]): Multiaddr[] {
  return texts.flatMap((text) => {
    try {
      return [multiaddr(text)];
    } catch {
      return [];
    }
  });
}
