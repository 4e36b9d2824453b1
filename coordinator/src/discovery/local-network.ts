import type { CallService } from './onvif.ts';

/** A multicast group of IPv4. */
export interface Group {
  readonly address: string;
  readonly port: number;
}

export interface Datagram {
  /** Of its sender. */
  readonly address: string;
  readonly bytes: Uint8Array;
}

export interface ToldLinks {
  readonly address: string;
  readonly port: number;
  /** `application/link-format`. */
  readonly text: string;
}

/** Questions to everybody, and what is heard from those who answer until it is closed. */
export interface Conversation<Question extends readonly unknown[]> {
  /** From every interface. What cannot be sent is lost, as datagrams are. */
  readonly say: (...question: Question) => void;
  readonly close: () => void;
}

/** The network around this machine. */
export interface LocalNetwork {
  /** @throws `net.unreachable` when there is no interface to ask from */
  open(group: Group, heard: (datagram: Datagram) => void): Promise<Conversation<[Uint8Array]>>;
  /** Asks every CoAP server for its resources (RFC 7252 §8, RFC 6690 §4), each at most once. @throws as `open` */
  openCoap(group: Group, heard: (links: ToldLinks) => void): Promise<Conversation<[]>>;
  readonly call: CallService;
}
