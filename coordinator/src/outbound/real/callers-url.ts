import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { ShoalError } from '@shoal/protocol';
import { isPrivateAddress } from './private-addresses.ts';

interface Address {
  readonly address: string;
  readonly family: number;
}

export interface ResolveOptions {
  /** Lets URLs reach this machine and its network: when every caller is trusted. */
  readonly allowPrivateAddresses: boolean;
  /** Of the request, for messages. */
  readonly field: string;
  /** What the caller can do instead of naming a private address, for messages. */
  readonly instead: string;
}

/** A URL that a caller named, as far as it can be checked without the network. @throws `input.invalid` */
export function parseCallersUrl(text: string, field: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ShoalError('input.invalid', 'the URL must be a whole http:// or https:// one', { field });
  }
  if (url.username !== '' || url.password !== '') {
    throw new ShoalError('input.invalid', 'the URL must not carry a user name or password', { field });
  }
  return url;
}

/** @throws `auth.forbidden` when any address of the name is private: one is enough to be led there. */
export async function resolveCallersUrl(url: URL, options: ResolveOptions): Promise<readonly Address[]> {
  const { allowPrivateAddresses, field, instead } = options;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  const addresses = family === 0 ? await lookup(host, { all: true }) : [{ address: host, family }];
  if (!allowPrivateAddresses && addresses.some(({ address }) => isPrivateAddress(address))) {
    throw new ShoalError('auth.forbidden', `${host} is on this machine or its network; ${instead}`, { field, host });
  }
  return addresses;
}

/** Connects to exactly these addresses, so that a name cannot point elsewhere between the check and the connection. */
export function pinnedTo(addresses: readonly Address[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses;
    if (all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}
