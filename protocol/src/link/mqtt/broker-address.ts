import { ShoalError } from '../../errors/index.ts';

/** Where a broker is, read from `mqtt://[user:password@]host[:port]`, or `mqtts://`, `ws://`, `wss://` (with a path, if the broker wants one). */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The path of a WebSocket; `undefined` without one. */
  readonly webSocketPath: string | undefined;
  /** `#sha256=...`: the SHA-256 of the broker's certificate, in hexadecimal. No other certificate is taken then. */
  readonly fingerprint: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** For people and logs: without user name and password. */
  readonly text: string;
}

interface Scheme {
  readonly port: number;
  readonly tls: boolean;
  readonly webSocket: boolean;
}

const schemes: Readonly<Record<string, Scheme>> = {
  'mqtt:': { port: 1883, tls: false, webSocket: false },
  'tcp:': { port: 1883, tls: false, webSocket: false },
  'mqtts:': { port: 8883, tls: true, webSocket: false },
  'tls:': { port: 8883, tls: true, webSocket: false },
  'ws:': { port: 80, tls: false, webSocket: true },
  'wss:': { port: 443, tls: true, webSocket: true },
};

/** @throws `input.invalid` when it is not the address of a broker. The message never repeats a password. */
export function parseBrokerAddress(url: string): BrokerAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const scheme = parsed && schemes[parsed.protocol];
  if (!parsed || !scheme || parsed.hostname === '') {
    throw invalid('a broker address looks like mqtt://host:1883, mqtts://host:8883, ws://host:80 or wss://host:443');
  }
  const port = parsed.port === '' ? scheme.port : Number(parsed.port);
  // Brackets belong to the URL, not to the IPv6 address.
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port,
    tls: scheme.tls,
    webSocketPath: scheme.webSocket ? parsed.pathname + parsed.search : undefined,
    fingerprint: fingerprintIn(parsed.hash, scheme),
    username: decoded(parsed.username),
    password: decoded(parsed.password),
    text: `${parsed.hostname}:${port}`,
  };
}

/** As `openssl x509 -fingerprint -sha256` prints it, with or without its colons. */
function fingerprintIn(hash: string, { tls }: Scheme): string | undefined {
  if (hash === '') return undefined;
  const hex = (/^#sha256=(.*)$/i.exec(hash)?.[1] ?? '').replaceAll(':', '');
  if (!tls || !/^[0-9a-f]{64}$/i.test(hex)) {
    throw invalid('after a "#", the address of a broker with TLS may say sha256= and the 64 digits of its certificate');
  }
  return hex.toLowerCase();
}

function invalid(message: string): ShoalError {
  return new ShoalError('input.invalid', message, { field: 'url' });
}

function decoded(part: string): string | undefined {
  if (part === '') return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
