import {
  type Clock,
  every,
  type Hello,
  type ImportPeerKey,
  importPeerKey,
  type LinkKind,
  type Logger,
  type PeerDirectory,
  type PeerId,
  type PeerKey,
  type ProfileReport,
  type Random,
  roleOf,
  ShoalError,
  type Telemetry,
  type WelcomeInit,
} from '@shoal/protocol';
import type { DeviceRecord, Devices, DeviceView } from '../domain/index.ts';
import { FleetIndex, type FleetSnapshot } from '../placement/index.ts';
import type { Store } from '../store/index.ts';
import { FleetDevice } from './fleet-device.ts';
import type { JoinTokens } from './join-tokens.ts';
import { KindPriors } from './kind-priors.ts';
import { checkLabels, checkName } from './labels.ts';
import { mostProfiles, sanitiseCapability, sanitiseProfiles, sanitiseTelemetry } from './sanitise.ts';

export interface RegistryOptions {
  readonly telemetryIntervalMs: number;
  readonly livenessTimeoutMs: number;
  readonly deviceLimit: number;
}

/** Told what changes in the fleet. */
export interface FleetListener {
  /** The device can take work now, or more of it, or other work than before. */
  onAvailable(device: FleetDevice): void;
  /** What was with the device is lost: it was silent for too long, said goodbye or was revoked. */
  onGone(device: FleetDevice, reason: string): void;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Pick<Store, 'commit' | 'defer'>;
  readonly tokens: JoinTokens;
  /** Left out: Ed25519. */
  readonly importKey?: ImportPeerKey;
  /** The links that reach a device now. Left out: it is not known. */
  readonly linksTo?: (device: PeerId) => readonly LinkKind[];
}

/** Who belongs to the fleet, and who of them can be reached. */
export class Registry implements Devices, PeerDirectory {
  readonly #deps: Deps;
  readonly #options: RegistryOptions;
  readonly #devices = new Map<PeerId, FleetDevice>();
  readonly #listeners: FleetListener[] = [];
  /** Those that are not revoked: who may be given work. */
  readonly #fleet: FleetIndex<FleetDevice>;
  readonly #priors = new KindPriors();
  #joining = 0;
  #stopWatching = () => {};

  constructor(deps: Deps, options: RegistryOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#fleet = new FleetIndex(deps.random);
  }

  /** What was recorded. Nobody was heard of yet: each has one liveness timeout to say something. */
  load(records: readonly DeviceRecord[]): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const { importKey = importPeerKey } = this.#deps;
    for (const record of records) this.#add(record, () => importKey('device', record.publicKey), nowMs);
  }

  start(): void {
    const periodMs = this.#options.livenessTimeoutMs / 4;
    this.#stopWatching = every(this.#deps.clock, 'registry: who is silent', periodMs, () => this.#findSilent());
  }

  stop(): void {
    this.#stopWatching();
  }

  subscribe(listener: FleetListener): void {
    this.#listeners.push(listener);
  }

  /** Devices that may be given work, for placement. */
  get fleet(): FleetSnapshot {
    return this.#fleet;
  }

  device(id: PeerId): FleetDevice | undefined {
    return this.#devices.get(id);
  }

  keyOf(peer: PeerId): PeerKey | undefined {
    return this.#devices.get(peer)?.key;
  }

  /** Whether the device seals what it says, as it said hello last. */
  seals(peer: PeerId): boolean {
    return this.#devices.get(peer)?.record.sealed === true;
  }

  list(): readonly DeviceView[] {
    return Array.from(this.#devices.values(), (device) => this.#view(device));
  }

  get(id: PeerId): DeviceView {
    return this.#view(this.#known(id));
  }

  isMember(id: PeerId): boolean {
    return this.#devices.get(id)?.record.revoked === false;
  }

  async update(id: PeerId, change: Parameters<Devices['update']>[1]): Promise<DeviceView> {
    const device = this.#known(id);
    if (change.name !== undefined) checkName(change.name);
    if (change.labels !== undefined) checkLabels(change.labels);
    const { name, labels, draining, power } = { ...device.record, ...change };
    device.setRecord({ ...device.record, name, labels, draining, ...(power && { power }) });
    await this.#deps.store.commit([{ kind: 'device', device: device.record }]);
    this.#available(device);
    return this.#view(device);
  }

  async revoke(id: PeerId): Promise<void> {
    const device = this.#known(id);
    device.setRecord({ ...device.record, revoked: true });
    device.onChange = () => {};
    device.onShift = () => {};
    this.#fleet.remove(device);
    this.#gone(device, 'the device was revoked');
    await this.#deps.store.commit([{ kind: 'device', device: device.record }]);
  }

  /**
   * A device says hello: at its start, or back from a cut. One that is not known joins when it shows a token.
   * @param sealed whether nobody else could read it: the device is spoken to in the same way from now on.
   * @throws `token.refused`, `device.revoked`, `device.unknown`, `queue.full` when the fleet is.
   */
  async hello(sender: PeerKey, hello: Hello, sealed: boolean): Promise<WelcomeInit> {
    const device = this.#devices.get(sender.id) ?? (await this.#join(sender, hello, sealed));
    if ((device.record.sealed ?? false) !== sealed) await this.#changeSealing(device, sealed);
    this.heard(device);
    const capability = sanitiseCapability(hello.capability);
    const profiles = sanitiseProfiles(hello.profiles);
    this.#setRecord(device, { ...device.record, capability, profiles });
    this.#writeSoon(device);
    device.pause = undefined;
    return {
      telemetryIntervalMs: this.#options.telemetryIntervalMs,
      livenessTimeoutMs: this.#options.livenessTimeoutMs,
      coordinatorTimeMs: this.#deps.clock.nowMs(),
      deviceName: device.record.name,
      labels: device.record.labels,
    };
  }

  /** Durable before anything is said to the device: whoever makes the coordinator crash must not make it speak openly. */
  async #changeSealing(device: FleetDevice, sealed: boolean): Promise<void> {
    device.setRecord({ ...device.record, sealed });
    await this.#deps.store.commit([{ kind: 'device', device: device.record }]);
  }

  /** The sender of a message that is believed. @throws `device.unknown`, `device.revoked`. */
  sender(id: PeerId): FleetDevice {
    const device = this.#devices.get(id);
    if (!device) throw new ShoalError('device.unknown', 'say hello with a join token first');
    if (device.record.revoked) throw new ShoalError('device.revoked', 'this device was revoked');
    return device;
  }

  heard(device: FleetDevice): void {
    device.lastHeardMs = this.#deps.clock.monotonicMs();
    device.lastSeenMs = this.#deps.clock.nowMs();
    if (device.presence === 'online') return;
    device.presence = 'online';
    this.#available(device);
  }

  telemetry(device: FleetDevice, telemetry: Telemetry): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const heard = sanitiseTelemetry(telemetry);
    device.feel(heard, nowMs);
    device.telemetry = heard;
    device.relax(nowMs);
    this.#available(device);
  }

  profiles(device: FleetDevice, report: ProfileReport): void {
    const merged = new Map(device.record.profiles.map((profile) => [`${profile.model}/${profile.variant}`, profile]));
    for (const profile of sanitiseProfiles(report.profiles)) merged.set(`${profile.model}/${profile.variant}`, profile);
    const profiles = [...merged.values()].slice(-mostProfiles);
    this.#setRecord(device, { ...device.record, profiles });
    this.#writeSoon(device);
    this.#available(device);
  }

  goodbye(device: FleetDevice): void {
    this.#writeSoon(device);
    this.#gone(device, 'the device said goodbye');
  }

  /**
   * The device says so again when this is forgotten in a crash. What was received travels with every write, so that after a moment nobody can say once
   * more in its name what it has just said, when the coordinator crashed since: in a fleet without work there may be no other write for days.
   */
  #writeSoon({ record }: FleetDevice): void {
    this.#deps.store.defer({ kind: 'device', device: record });
  }

  /** A link noticed something. Nobody signed that, so it never loses work: a device that still speaks is online again at once. */
  linkHint(peer: PeerId, reachable: boolean): void {
    const device = this.#devices.get(peer);
    if (!reachable && device?.presence === 'online') device.presence = 'suspect';
  }

  counts(): { readonly online: number; readonly known: number } {
    let online = 0;
    for (const { presence } of this.#fleet.all()) if (presence === 'online') online += 1;
    return { online, known: this.#fleet.size };
  }

  #view(device: FleetDevice): DeviceView {
    return device.view(this.#deps.linksTo?.(device.id) ?? []);
  }

  async #join(sender: PeerKey, hello: Hello, sealed: boolean): Promise<FleetDevice> {
    if (roleOf(sender.id) !== 'device') throw new ShoalError('device.unknown', 'only a device can join');
    if (hello.tokenProof.length === 0) {
      throw new ShoalError('device.unknown', 'this device has not joined this coordinator: join with a token');
    }
    if (this.#devices.size + this.#joining >= this.#options.deviceLimit) {
      throw new ShoalError('queue.full', `the fleet has its most, ${this.#options.deviceLimit} devices`);
    }
    const { tokens, store, clock, logger } = this.#deps;
    const token = tokens.spend(hello, sender.id);
    const capability = sanitiseCapability(hello.capability);
    const record: DeviceRecord = {
      id: sender.id,
      publicKey: sender.publicKey,
      name: capability.hostName || sender.id,
      labels: token.labels,
      joinedAtMs: clock.nowMs(),
      tokenId: token.id,
      draining: false,
      revoked: false,
      ...(sealed && { sealed }),
      capability,
      profiles: sanitiseProfiles(hello.profiles),
    };
    this.#joining += 1;
    try {
      await store.commit([
        { kind: 'device', device: record },
        { kind: 'token', token },
      ]);
    } catch (error) {
      tokens.giveBack(token);
      throw error;
    } finally {
      this.#joining -= 1;
    }
    // Two hellos of one device may have been on their way: both were recorded, the second one finds the first.
    const already = this.#devices.get(record.id);
    if (already) return already;
    const device = this.#add(record, () => sender, clock.monotonicMs());
    logger.info('a device joined', { device: device.id, name: record.name, token: token.id });
    return device;
  }

  #findSilent(): void {
    const sinceMs = this.#deps.clock.monotonicMs() - this.#options.livenessTimeoutMs;
    for (const device of [...this.#fleet.all()]) {
      if (device.presence !== 'offline' && device.lastHeardMs <= sinceMs) {
        this.#gone(device, `the device was silent for ${this.#options.livenessTimeoutMs} ms`);
      }
    }
  }

  #available(device: FleetDevice): void {
    if (device.presence !== 'online' || device.record.revoked) return;
    for (const listener of this.#listeners) listener.onAvailable(device);
  }

  #gone(device: FleetDevice, reason: string): void {
    if (device.presence !== 'offline') this.#deps.logger.info('a device is gone', { device: device.id, reason });
    device.presence = 'offline';
    for (const listener of this.#listeners) listener.onGone(device, reason);
  }

  #known(id: PeerId): FleetDevice {
    const device = this.#devices.get(id);
    if (!device) throw new ShoalError('not-found', `there is no device ${id.slice(0, 64)}`);
    return device;
  }

  #add(record: DeviceRecord, importKey: () => PeerKey, nowMs: number): FleetDevice {
    const priors = this.#priors;
    const device = new FleetDevice(record, importKey, nowMs, (...asked) => priors.find(...asked));
    this.#devices.set(device.id, device);
    priors.count(device.kind, record.profiles, 1);
    if (record.revoked) return device;
    device.onChange = () => this.#fleet.put(device);
    device.onShift = () => this.#fleet.shift(device);
    this.#fleet.put(device);
    return device;
  }

  #setRecord(device: FleetDevice, record: DeviceRecord): void {
    this.#priors.count(device.kind, device.record.profiles, -1);
    device.setRecord(record);
    this.#priors.count(device.kind, record.profiles, 1);
  }
}
