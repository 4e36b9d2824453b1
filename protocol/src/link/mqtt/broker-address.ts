import { ShoalError } from '../../errors/index.ts';

/** Where a broker is, read from `mqtt://[user:password@]host[:port]` or `mqtts://...`. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** For people and logs: without user name and password. */
  readonly text: string;
}

const defaultPorts: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'tcp:': 1883, 'mqtts:': 8883, 'tls:': 8883 };

/** @throws `input.invalid` when it is not the address of a broker. The message never repeats a password. */
export function parseBrokerAddress(url: string): BrokerAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const defaultPort = parsed && defaultPorts[parsed.protocol];
  if (!parsed || !defaultPort || parsed.hostname === '') {
    throw new ShoalError('input.invalid', 'a broker address looks like mqtt://host:1883 or mqtts://host:8883', {
      field: 'url',
    });
  }
  const port = parsed.port === '' ? defaultPort : Number(parsed.port);
  // Brackets belong to the URL, not to the IPv6 address.
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port,
    tls: parsed.protocol === 'mqtts:' || parsed.protocol === 'tls:',
    username: decoded(parsed.username),
    password: decoded(parsed.password),
    text: `${parsed.hostname}:${port}`,
  };
}

function decoded(part: string): string | undefined {
  if (part === '') return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
