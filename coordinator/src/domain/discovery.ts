/** How a camera was found. */
export type FoundVia = 'onvif' | 'mdns' | 'coap';

/** A camera on the network of the coordinator, by what it says of itself: none of it was tried. */
export interface FoundCamera {
  readonly name: string;
  readonly hardware?: string;
  /** IPv4, where it answered from. */
  readonly address: string;
  /** URLs at that address, without passwords, the best first. */
  readonly sources: readonly string[];
  readonly via: FoundVia;
  /** The id of the camera that reads it already. */
  readonly known?: string;
  /** Why there is no source. */
  readonly reason?: string;
}

export interface DiscoverOptions {
  /** How long to listen, whole or not. */
  readonly seconds: number;
  /** For cameras of ONVIF. Each that is found is shown a digest of the password, never the password. */
  readonly login?: { readonly user: string; readonly password: string };
}

export interface Discovery {
  /** @throws `rate-limited` while others search, `net.unreachable` */
  find(options: DiscoverOptions, signal: AbortSignal): Promise<readonly FoundCamera[]>;
}
