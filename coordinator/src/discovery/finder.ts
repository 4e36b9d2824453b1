import { type Clock, delay, isShoalError, type Logger, type Random, ShoalError } from '@shoal/protocol';
import type { CameraView, DiscoverOptions, Discovery, FoundCamera } from '../domain/index.ts';
import { encodeQuery, parseResponse } from './dns.ts';
import { hostOf, ownService, ownUrl, sameSource } from './found-urls.ts';
import { givesPictures, parseLinks } from './link-format.ts';
import type { Conversation, Datagram, Group, LocalNetwork, ToldLinks } from './local-network.ts';
import { browseQuery, type FoundService, mdnsGroup, ServicesOf } from './mdns.ts';
import { type Login, streamsOf } from './onvif.ts';
import { type ProbeMatch, parseProbeMatches, probe, wsDiscoveryGroup } from './ws-discovery.ts';

export interface FinderDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Left out: there is none to search. */
  readonly network?: LocalNetwork | undefined;
  readonly cameras: { list(): readonly Pick<CameraView, 'id' | 'spec'>[] };
}

export interface FinderOptions {
  readonly onvif: Group;
  readonly mdns: Group;
  readonly coap: Group;
}

/** "All CoAP Nodes" (RFC 7252 §12.8). */
const allCoapNodes = { address: '224.0.1.187', port: 5683 };

const defaultFinderOptions: FinderOptions = { onvif: wsDiscoveryGroup, mdns: mdnsGroup, coap: allCoapNodes };

const mostSearches = 2;
/** Of each kind. */
const mostDevices = 128;
/** Answers that are looked at in one search, of each kind. */
const mostAnswers = 4_096;
const mostSources = 32;
const longestName = 128;
/** Datagrams get lost: everybody is asked so often, spread over the time. */
const times = 3;
/** After nobody else is listened to: for those who were found to tell their streams. */
const tellMs = 5_000;

/** Looks around: ONVIF, DNS-SD over multicast DNS, and CoAP at once. What answers is a stranger: read with limits, and believed about its own address only. */
export class Finder implements Discovery {
  readonly #deps: FinderDeps;
  readonly #options: FinderOptions;
  #searches = 0;

  constructor(deps: FinderDeps, options: FinderOptions = defaultFinderOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async find({ seconds, login }: DiscoverOptions, signal: AbortSignal): Promise<readonly FoundCamera[]> {
    const { network } = this.#deps;
    if (!network) throw new ShoalError('net.unreachable', 'this coordinator has no network to search');
    if (this.#searches >= mostSearches)
      throw new ShoalError('rate-limited', `${mostSearches} searches go on already; try again when they have ended`);
    this.#searches += 1;
    try {
      const search = new Search(this.#deps, network, this.#options, { listenMs: seconds * 1000, login, signal });
      const found = await Promise.all([search.onvif(), search.mdns(), search.coap()]);
      signal.throwIfAborted();
      return this.#known(arranged(found.flat()));
    } finally {
      this.#searches -= 1;
    }
  }

  #known(found: readonly FoundCamera[]): readonly FoundCamera[] {
    const cameras = this.#deps.cameras.list();
    return found.map((one) => {
      const known = cameras.find(({ spec }) =>
        one.sources.length === 0
          ? hostOf(spec.source) === one.address
          : one.sources.some((source) => sameSource(source, spec.source)),
      );
      return known === undefined ? one : { ...one, known: known.id };
    });
  }
}

interface SearchOptions {
  readonly listenMs: number;
  readonly login: Login | undefined;
  readonly signal: AbortSignal;
}

class Search {
  readonly #deps: FinderDeps;
  readonly #network: LocalNetwork;
  readonly #groups: FinderOptions;
  readonly #options: SearchOptions;

  constructor(deps: FinderDeps, network: LocalNetwork, groups: FinderOptions, options: SearchOptions) {
    this.#deps = deps;
    this.#network = network;
    this.#groups = groups;
    this.#options = options;
  }

  async onvif(): Promise<readonly FoundCamera[]> {
    const { clock, random } = this.#deps;
    const id = uuid(random.bytes(16));
    const question = probe(id);
    const told = new Map<string, Promise<FoundCamera>>();
    const late = new AbortController();
    const cancel = clock.after('discovery/tell', this.#options.listenMs + tellMs, () => late.abort());
    const signal = AbortSignal.any([late.signal, this.#options.signal]);
    try {
      await this.#listen(
        (take) => this.#network.open(this.#groups.onvif, take),
        ({ address, bytes }: Datagram) => {
          for (const match of parseProbeMatches(bytes, id)) {
            const key = `${match.endpoint} ${address}`;
            if (told.has(key) || told.size >= mostDevices) continue;
            told.set(key, this.#told(match, address, signal));
          }
        },
        (conversation) => conversation.say(question),
      );
      return await Promise.all(told.values());
    } finally {
      cancel();
      late.abort();
    }
  }

  async #told(match: ProbeMatch, address: string, signal: AbortSignal): Promise<FoundCamera> {
    const { network, login } = { network: this.#network, login: this.#options.login };
    const { clock, random, logger } = this.#deps;
    const { name, hardware, xAddrs } = match;
    const found = {
      name: tidy(name ?? hardware ?? '', address),
      ...(hardware !== undefined && { hardware: tidy(hardware, address) }),
      address,
      via: 'onvif',
    } as const;
    const service = xAddrs.find((one) => ownService(one, address));
    if (service === undefined) return { ...found, sources: [], reason: 'it names no service at its own address' };
    const allowed = (url: string) => ownService(url, address);
    const deps = { call: network.call, random, nowMs: () => clock.nowMs() };
    try {
      const sources = own(await streamsOf(deps, service, login, allowed, signal), address);
      return sources.length > 0 ? { ...found, sources } : { ...found, sources, reason: 'it tells of no stream' };
    } catch (error) {
      if (!isShoalError(error)) logger.debug('a camera of ONVIF could not be asked', { address, error });
      return { ...found, sources: [], reason: whyNot(error, login) };
    }
  }

  async mdns(): Promise<readonly FoundCamera[]> {
    const question = browseQuery();
    const owners = new Map<string, ServicesOf>();
    await this.#listen(
      (take: (heard: Datagram) => void) => this.#network.open(this.#groups.mdns, take),
      ({ address, bytes }: Datagram, conversation) => {
        const records = parseResponse(bytes);
        const services = owners.get(address) ?? new ServicesOf();
        if (records.length === 0 || (!owners.has(address) && owners.size >= mostDevices)) return;
        owners.set(address, services);
        const missing = services.hear(records);
        if (missing.length > 0) conversation.say(encodeQuery(missing));
      },
      (conversation) => conversation.say(question),
    );
    return [...owners].flatMap(([address, services]) => services.found().map((one) => cameraOf(one, address)));
  }

  async coap(): Promise<readonly FoundCamera[]> {
    const found: FoundCamera[] = [];
    await this.#listen(
      (take) => this.#network.openCoap(this.#groups.coap, take),
      ({ address, port, text }: ToldLinks) => {
        const pictures = parseLinks(text).filter(givesPictures);
        const paths = pictures.map(({ path }) => path).filter((path) => path.startsWith('/'));
        const base = `coap://${address}${port === allCoapNodes.port ? '' : `:${port}`}`;
        const sources = own(
          paths.map((path) => `${base}${path}`),
          address,
        );
        if (sources.length === 0 || found.length >= mostDevices) return;
        const name = tidy(pictures[0]?.attributes.get('title') ?? '', address);
        found.push({ name, address, sources, via: 'coap' });
      },
      (conversation) => conversation.say(),
    );
    return found;
  }

  /** Asks, and asks again, until the time is up. An answer that cannot be read is passed over: so is the network for one kind. */
  async #listen<Heard, Question extends readonly unknown[]>(
    open: (take: (heard: Heard) => void) => Promise<Conversation<Question>>,
    read: (heard: Heard, conversation: Conversation<Question>) => void,
    ask: (conversation: Conversation<Question>) => void,
  ): Promise<void> {
    const { clock, logger } = this.#deps;
    const { listenMs, signal } = this.#options;
    let answers = 0;
    const conversation = await open((heard) => {
      answers += 1;
      if (answers > mostAnswers) return;
      try {
        read(heard, conversation);
      } catch (error) {
        if (!isShoalError(error)) throw error;
        logger.debug('an answer of a stranger is passed over', { error });
      }
    });
    try {
      for (let i = 0; i < times; i++) {
        ask(conversation);
        await delay(clock, 'discovery/listen', listenMs / times, signal);
      }
    } finally {
      conversation.close();
    }
  }
}

function cameraOf({ name, kind, port, texts }: FoundService, address: string): FoundCamera {
  const found = { name: tidy(name, address), address, via: 'mdns' } as const;
  // Axis: the service is its page; where its stream is, is the same for all of them (VAPIX, RTSP API).
  if (kind === '_axis-video') return { ...found, sources: [`rtsp://${address}/axis-media/media.amp`] };
  const path = (texts.get('path') ?? '').replace(/^\/*/, '/');
  return { ...found, sources: own([`rtsp://${address}${port === 554 ? '' : `:${port}`}${path}`], address) };
}

function own(urls: readonly string[], address: string): readonly string[] {
  const found = urls.flatMap((url) => ownUrl(url, address) ?? []);
  return [...new Set(found)].slice(0, mostSources);
}

/** Not the same stream twice, told in two ways; not this machine's inner address of what has an outer one. */
function arranged(found: readonly FoundCamera[]): readonly FoundCamera[] {
  const told = new Set(found.flatMap(({ via, sources }) => (via === 'onvif' ? sources : [])));
  const isInner = ({ address }: FoundCamera) => address.startsWith('127.');
  const kept = found.filter(
    (one) =>
      !(one.via === 'mdns' && one.sources.every((source) => told.has(source))) &&
      !(isInner(one) && found.some((other) => !isInner(other) && other.via === one.via && other.name === one.name)),
  );
  return kept.toSorted((a, b) => compareAddresses(a.address, b.address) || a.name.localeCompare(b.name, 'en'));
}

function compareAddresses(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function whyNot(error: unknown, login: Login | undefined): string {
  if (!isShoalError(error, 'auth.missing')) return 'it did not tell its streams';
  return login === undefined ? 'it tells its streams to who logs in' : 'it refused the login';
}

function tidy(name: string, instead: string): string {
  const shown = name.replace(/\p{C}/gu, '').trim().slice(0, longestName);
  return shown === '' ? instead : shown;
}

/** Version 4 (RFC 9562 §5.4). */
function uuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  const variant = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant.toString(16)}${hex.slice(18, 20)}-${hex.slice(20)}`;
}
