import type { Clock, Identity, Logger, Random, Service } from '@shoal/protocol';
import type { EmbeddedBrokerOptions, Listening, TlsIdentity } from '../../broker/index.ts';
import type { Coordinator } from '../../domain/index.ts';
import type { CostWeights } from '../../placement/index.ts';

export interface CoordinatorOptions {
  readonly data?: string;
  readonly httpHost: string;
  readonly httpPort: number;
  readonly mqttHost: string;
  readonly mqttPort: number;
  readonly mqttsPort?: number;
  readonly wsPort?: number;
  readonly wssPort?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly mqttUrl?: string;
  readonly coapHost: string;
  readonly coapPort?: number;
  readonly libp2pHost: string;
  readonly libp2pPort?: number;
  readonly address?: string[];
  readonly announce?: string;
  readonly announceFrigate?: boolean;
  readonly portSearch?: boolean;
  readonly insecureLoopback?: boolean;
  readonly allowPrivateUrls?: boolean;
  readonly deviceLimit: number;
  /** Seconds. */
  readonly heartbeat: number;
  readonly uploadLimitMb: number;
  readonly seal: 'required' | 'offered' | 'off';
  readonly strategy: string;
  readonly weights?: CostWeights;
  readonly logFormat: 'text' | 'json';
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly json?: boolean;
}

/** Makes a coordinator over the real world. It does nothing before its services are started. */
export type OpenCoordinator = (request: OpenCoordinatorRequest) => Promise<OpenedCoordinator>;

export interface OpenCoordinatorRequest {
  readonly dataDirectory: string;
  readonly broker: BrokerChoice;
  /** Left out: no CoAP. */
  readonly coap?: ListenChoice | undefined;
  /** Left out: no libp2p. */
  readonly libp2p?: ListenChoice | undefined;
  /** Left out: nothing is announced. */
  readonly announce?: AnnounceChoice | undefined;
  readonly deviceLimit: number;
  readonly telemetryIntervalMs: number;
  readonly uploadLimitBytes: number;
  /** Lets webhooks reach this machine and its network. */
  readonly allowPrivateUrls: boolean;
  /** Whether what is said to devices is hidden from everybody on the way. */
  readonly seal: 'required' | 'offered' | 'off';
  /** Name of the strategy that chooses devices. */
  readonly strategy: string;
  /** What the terms of the cost weigh; `undefined`: as they do by default. */
  readonly weights: CostWeights | undefined;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A broker of its own on a port, or one that already runs. `addresses`: where devices reach it, for join tokens. */
export type BrokerChoice =
  | {
      readonly kind: 'embedded';
      readonly host: string;
      readonly port: number;
      readonly portSearch: number;
      readonly also: NonNullable<EmbeddedBrokerOptions['also']>;
      /** `undefined`: one that the coordinator vouches for itself. */
      readonly tls: TlsIdentity | undefined;
      readonly addresses: (listening: readonly Listening[]) => readonly string[];
    }
  | { readonly kind: 'external'; readonly url: string; readonly addresses: readonly string[] };

/** A broker of others on which is said what goes on before the cameras. */
export interface AnnounceChoice {
  readonly url: string;
  /** In Frigate's shapes too. */
  readonly frigate: boolean;
}

/** Devices without a broker. `addresses`: where they reach it, for join tokens. */
export interface ListenChoice {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly addresses: (port: number) => readonly string[];
}

export interface OpenedCoordinator {
  readonly coordinator: Coordinator;
  /** In the order in which they start. */
  readonly services: readonly Service[];
  /** Where devices reach it, best first. Known once the services are started. */
  readonly mqttUrls: () => readonly string[];
}
