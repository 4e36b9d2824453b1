import { networkInterfaces } from 'node:os';

/** Where devices may reach a broker that listens on `host`: the machine's addresses in its networks, then loopback. */
export function brokerAddresses(host: string, port: number): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [`mqtt://${host.includes(':') ? `[${host}]` : host}:${port}`];
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outer = all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
  return [...outer, '127.0.0.1'].map((address) => `mqtt://${address}:${port}`);
}
