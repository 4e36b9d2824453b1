import { networkInterfaces } from 'node:os';
import type { Listening } from '../../broker/index.ts';

/**
 * Where devices may reach a broker that listens on `host`: the machine's addresses in its networks, then loopback. When there is a way in that is
 * encrypted, only such: who can block one port must not be able to make devices speak in the clear on another.
 */
export function brokerAddresses(host: string, listening: readonly Listening[]): string[] {
  const encrypted = listening.filter(({ kind }) => kind === 'mqtts' || kind === 'wss');
  const offered = encrypted.length > 0 ? encrypted : listening;
  return offered.flatMap(({ kind, port }) => hostsOf(host).map((address) => `${kind}://${address}:${port}`));
}

/** The same of CoAP and libp2p. */
export function addressesOf(kind: 'coap' | 'libp2p', host: string, port: number): string[] {
  return hostsOf(host).map((address) => `${kind}://${address}:${port}`);
}

function hostsOf(host: string): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host.includes(':') ? `[${host}]` : host];
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outer = all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
  return [...outer, '127.0.0.1'];
}
