import { type DnsQuestion, type DnsRecord, encodeQuery, labelEnd, recordTypes } from './dns.ts';

/** Multicast DNS (RFC 6762 §3). Asked from another port than that, it answers to the one who asked (§6.7). */
export const mdnsGroup = { address: '224.0.0.251', port: 5353 };

export interface FoundService {
  /** As its owner called it. */
  readonly name: string;
  readonly kind: ServiceKind;
  readonly port: number;
  readonly texts: ReadonlyMap<string, string>;
}

const kinds = ['_rtsp', '_axis-video'] as const;
export type ServiceKind = (typeof kinds)[number];

const mostServices = 256;

export function browseQuery(): Uint8Array {
  return encodeQuery(kinds.map((kind) => ({ name: [kind, '_tcp', 'local'], type: recordTypes.ptr })));
}

/** What one address said of its services, put together from what came in pieces and in any order. */
export class ServicesOf {
  readonly #instances = new Map<string, ServiceKind>();
  readonly #ports = new Map<string, number>();
  readonly #texts = new Map<string, ReadonlyMap<string, string>>();

  /** @returns what to ask next; nothing when nothing new is missing */
  hear(records: readonly DnsRecord[]): readonly DnsQuestion[] {
    const fresh: string[] = [];
    for (const record of records) {
      const { name } = record;
      switch (record.type) {
        case 'ptr': {
          const kind = kindOf(name);
          if (kind === undefined || this.#instances.has(record.target) || this.#instances.size >= mostServices) break;
          if (!record.target.toLowerCase().endsWith(`${labelEnd}${name.toLowerCase()}`)) break;
          this.#instances.set(record.target, kind);
          fresh.push(record.target);
          break;
        }
        case 'srv':
          if (this.#ports.size < mostServices) this.#ports.set(name, record.port);
          break;
        case 'txt':
          if (this.#texts.size < mostServices) this.#texts.set(name, record.texts);
          break;
      }
    }
    const missing = fresh.filter((name) => !this.#ports.has(name));
    return missing.map((name) => ({ name: name.split(labelEnd), type: recordTypes.any }));
  }

  found(): readonly FoundService[] {
    return [...this.#instances].flatMap(([instance, kind]) => {
      const port = this.#ports.get(instance);
      if (port === undefined || port === 0) return [];
      const [name = ''] = instance.split(labelEnd);
      return [{ name, kind, port, texts: this.#texts.get(instance) ?? new Map() }];
    });
  }
}

function kindOf(name: string): ServiceKind | undefined {
  return kinds.find((kind) => name.toLowerCase() === [kind, '_tcp', 'local'].join(labelEnd));
}
