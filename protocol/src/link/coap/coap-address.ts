import { ShoalError } from '../../errors/index.ts';

/** Where a CoAP server is, read from `coap://host[:port]`. */
export interface CoapAddress {
  readonly host: string;
  readonly port: number;
  /** For people and logs. */
  readonly text: string;
}

/** RFC 7252 §6.1. */
const defaultCoapPort = 5683;

/** @throws `input.invalid` when it is not the address of a CoAP server. */
export function parseCoapAddress(url: string): CoapAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const { protocol, hostname = '', port = '', pathname = '', username } = parsed ?? {};
  if (protocol !== 'coap:' || hostname === '' || username !== '' || (pathname !== '' && pathname !== '/')) {
    throw new ShoalError('input.invalid', 'a CoAP address looks like coap://host:5683', { field: 'url' });
  }
  return {
    // Brackets belong to the URL, not to the IPv6 address.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? defaultCoapPort : Number(port),
    text: `${hostname}:${port || defaultCoapPort}`,
  };
}
