import {
  every,
  type Hello,
  type ImportPeerKey,
  importPeerKey,
  isShoalError,
  openSuccession,
  type PeerDirectory,
  type PeerId,
  type PeerKey,
  type ProfileReport,
  rememberKeys,
  roleOf,
  ShoalError,
  signerOf,
  type Telemetry,
  type WelcomeInit,
} from '@shoal/protocol';
import type { DeviceRecord, Devices, DeviceView, FleetNews } from '../domain/index.ts';
import { FleetIndex, type FleetSnapshot } from '../placement/index.ts';
import type { RegistryDeps, RegistryOptions } from './deps.ts';
import { FleetDevice } from './fleet-device.ts';
import type { FleetListener } from './fleet-listener.ts';
import { FleetWatch } from './fleet-watch.ts';
import { formerKeysOf, isOrWas } from './former-keys.ts';
import { KindPriors } from './kind-priors.ts';
import { checkLabels, checkName } from './labels.ts';
import { LastWords } from './last-words.ts';
import { mostProfiles, sanitiseCapability, sanitiseProfiles, sanitiseTelemetry } from './sanitise.ts';
import { believed, refusePending, refuseRevoked } from './standing.ts';

/** Keys of devices that are ready to verify with: of a larger fleet, those that spoke last. 2 MB. */
const keysAtHand = 2_048;
/** Former keys that one device may have had. */
const mostFormerKeys = 1_000;

/** Who belongs to the fleet, and who of them can be reached. */
export class Registry implements Devices, PeerDirectory {
  readonly #deps: RegistryDeps;
  readonly #options: RegistryOptions;
  readonly #devices = new Map<PeerId, FleetDevice>();
  readonly #listeners: FleetListener[] = [];
  /** Those that are not revoked: who may be given work. */
  readonly #fleet: FleetIndex<FleetDevice>;
  readonly #priors = new KindPriors();
  /** Those that wait for approval. */
  readonly #pending = new Set<FleetDevice>();
  /** By the new id: being recorded. */
  readonly #admitting = new Map<PeerId, Promise<FleetDevice>>();
  readonly #lastWords: LastWords;
  readonly #importKey: ImportPeerKey;
  readonly #watch: FleetWatch;
  #stopWatching = () => {};

  constructor(deps: RegistryDeps, options: RegistryOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#importKey = rememberKeys(deps.importKey ?? importPeerKey, keysAtHand);
    this.#fleet = new FleetIndex(deps.random);
    this.#watch = new FleetWatch({ clock: deps.clock, list: () => this.list(), view: (id) => this.get(id) });
    this.#lastWords = new LastWords(deps.clock, (device) => deps.cut?.(device));
  }

  /** What was recorded. Nobody was heard of yet: each has one liveness timeout to say something. */
  load(records: readonly DeviceRecord[]): void {
    for (const record of records) this.#add(record);
  }

  start(): void {
    const periodMs = this.#options.livenessTimeoutMs / 4;
    this.#stopWatching = every(this.#deps.clock, 'registry: who is silent', periodMs, () => this.#findSilent());
  }

  stop(): void {
    this.#stopWatching();
    this.#lastWords.stop();
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

  watch(signal: AbortSignal): AsyncIterable<FleetNews> {
    return this.#watch.follow(signal);
  }

  get(id: PeerId): DeviceView {
    return this.#view(this.#known(id));
  }

  all(): Iterable<FleetDevice> {
    return this.#devices.values();
  }

  isMember(id: PeerId): boolean {
    const record = this.#devices.get(id)?.record;
    return record !== undefined && !record.revoked && !record.pending;
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
    const device = await this.#settled(this.#known(id));
    this.#putOut(device, { ...device.record, revoked: true }, 'the device was revoked');
    await this.#deps.store.commit([{ kind: 'device', device: device.record }]);
  }

  async approve(id: PeerId): Promise<DeviceView> {
    const device = this.#waiting(id);
    const { pending: _, ...record } = device.record;
    this.#setRecord(device, record);
    try {
      await this.#deps.store.commit([{ kind: 'device', device: device.record }]);
    } catch (error) {
      this.#setRecord(device, { ...device.record, pending: true });
      // Something else may have been recorded of it meanwhile, as of one that is approved.
      this.#writeSoon(device);
      throw error;
    }
    this.#deps.logger.info('a device was approved', { device: device.id, name: device.record.name });
    this.#pending.delete(device);
    if (device.record.revoked) return this.#view(device);
    // It gets work once it has heard of it, with its next hello.
    device.presence = 'suspect';
    this.#enlist(device);
    return this.#view(device);
  }

  async reject(id: PeerId): Promise<void> {
    const { pending, revoked } = this.#known(id).record;
    // Again, when it could not be recorded.
    if (!(pending && revoked)) this.#waiting(id);
    await this.revoke(id);
  }

  /** The device that somebody means who names this one. While its new key is being recorded, it is neither yet: what has become of it is waited for. */
  async #settled(device: FleetDevice): Promise<FleetDevice> {
    const admitting = this.#admitting.get(device.record.followedBy ?? '');
    return admitting ? admitting.catch(() => device) : device;
  }

  /**
   * A device says hello: at its start, or back from a cut. One that is not known joins when it shows a token, or the word of the key that it had before.
   * @param sealed whether nobody else could read it: the device is spoken to in the same way from now on.
   * @throws `token.refused`, `device.revoked`, `device.pending`, `device.unknown`, `queue.full` when the fleet is, and what is wrong with the word of
   * a former key.
   */
  async hello(sender: PeerKey, hello: Hello, sealed: boolean): Promise<WelcomeInit> {
    const known = this.#devices.get(sender.id);
    if (known) refuseRevoked(known.record);
    const device = known ?? (await this.#admit(sender, hello, sealed));
    if ((device.record.sealed ?? false) !== sealed) await this.#changeSealing(device, sealed);
    // Somebody may have put it out meanwhile.
    refuseRevoked(device.record);
    this.heard(device);
    const capability = sanitiseCapability(hello.capability);
    const profiles = sanitiseProfiles(hello.profiles);
    this.#setRecord(device, { ...device.record, capability, profiles });
    this.#refuseWaiting(device);
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

  /** The sender of a message that is believed. @throws `device.unknown`, `device.revoked`, `device.pending`. */
  sender(id: PeerId): FleetDevice {
    const device = this.#devices.get(id);
    if (!device) throw new ShoalError('device.unknown', 'say hello with a join token first');
    refuseRevoked(device.record);
    this.#refuseWaiting(device);
    return device;
  }

  /** One whose approval is not durable yet waits too. @throws `device.pending` */
  #refuseWaiting(device: FleetDevice): void {
    if (this.#pending.has(device)) refusePending({ ...device.record, pending: true });
  }

  /** Who signed a statement that the device brings: itself, as it is or as it was under a former key. */
  author(device: FleetDevice, attestation: Uint8Array): FleetDevice {
    if (!device.record.follows) return device;
    const signer = signerOf(attestation);
    for (const former of formerKeysOf(device, this.#find)) if (former.id === signer) return former;
    return device;
  }

  /** Whether this is the id of the device, or was: with a new key it goes on with what it was given under the old one. */
  isOrWas(device: FleetDevice, id: PeerId): boolean {
    return isOrWas(device, id, this.#find);
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
    if (device) this.#watch.touched(peer);
    if (reachable && device?.record.revoked) this.#lastWords.hear(peer);
  }

  counts(): { readonly online: number; readonly known: number } {
    let online = 0;
    for (const { presence } of this.#fleet.all()) if (presence === 'online') online += 1;
    return { online, known: this.#fleet.size };
  }

  #view(device: FleetDevice): DeviceView {
    return device.view(this.#deps.linksTo?.(device.id) ?? []);
  }

  async #admit(sender: PeerKey, hello: Hello, sealed: boolean): Promise<FleetDevice> {
    if (roleOf(sender.id) !== 'device') throw new ShoalError('device.unknown', 'only a device can join');
    // Two hellos of one device may be on their way: it is admitted once, and takes one use of a token.
    let admitting = this.#admitting.get(sender.id);
    if (!admitting) {
      const former = this.#formerKey(sender, hello);
      const begun = former ? this.#takeOver(former, sender, hello) : this.#join(sender, hello, sealed);
      admitting = begun.finally(() => this.#admitting.delete(sender.id));
      this.#admitting.set(sender.id, admitting);
    }
    return admitting;
  }

  /** Whose place the sender takes; `undefined` when that is nobody's, or nobody's here and the sender has a token to join with. */
  #formerKey(sender: PeerKey, hello: Hello): FleetDevice | undefined {
    const { successions } = this.#deps;
    if (hello.succession.length === 0 || !successions) return undefined;
    try {
      const id = openSuccession(hello.succession, {
        coordinator: successions.coordinator,
        successor: sender,
        keyOf: (peer) => this.keyOf(peer),
        lastSequence: (peer) => successions.sequences.lastReceived(peer),
      });
      return this.#devices.get(id);
    } catch (error) {
      if (hello.tokenProof.length > 0 && isShoalError(error, 'device.unknown')) return undefined;
      throw error;
    }
  }

  /** The device has a new key, and with it a new id. What was said of it is said of the new one; the old one is refused from now on. */
  async #takeOver(former: FleetDevice, sender: PeerKey, hello: Hello): Promise<FleetDevice> {
    const { record: before, presence } = former;
    refuseRevoked(before);
    if ([...formerKeysOf(former, this.#find)].length >= mostFormerKeys) {
      throw new ShoalError('conflict', `this device has had ${mostFormerKeys} keys: join with a token`);
    }
    const { store, logger } = this.#deps;
    const record: DeviceRecord = {
      ...before,
      id: sender.id,
      publicKey: sender.publicKey,
      // A copy: what it is a piece of is a whole frame.
      follows: { device: former.id, proof: Uint8Array.from(hello.succession) },
    };
    this.#putOut(former, { ...before, profiles: [], revoked: true, followedBy: sender.id }, 'the device has a new key');
    try {
      await store.commit([
        { kind: 'device', device: former.record },
        { kind: 'device', device: record },
      ]);
    } catch (error) {
      this.#setRecord(former, before);
      former.presence = presence;
      this.#enlist(former);
      throw error;
    }
    const device = this.#add(record);
    logger.info('a device has a new key', { device: device.id, former: former.id, name: record.name });
    return device;
  }

  readonly #find = (id: PeerId) => this.#devices.get(id);

  /** Of those that the fleet has: by its devices, those that wait for approval, and those that are being recorded. Who was put out takes none. */
  get #placesTaken(): number {
    return this.#fleet.size + this.#pending.size + this.#admitting.size;
  }

  async #join(sender: PeerKey, hello: Hello, sealed: boolean): Promise<FleetDevice> {
    if (hello.tokenProof.length === 0) {
      throw new ShoalError('device.unknown', 'this device has not joined this coordinator: join with a token');
    }
    if (this.#placesTaken >= this.#options.deviceLimit) {
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
      ...(token.approve && { pending: true }),
      capability,
      profiles: sanitiseProfiles(hello.profiles),
    };
    try {
      await store.commit([
        { kind: 'device', device: record },
        { kind: 'token', token },
      ]);
    } catch (error) {
      tokens.giveBack(token);
      throw error;
    }
    const device = this.#add(record);
    const what = record.pending ? 'a device waits for approval' : 'a device joined';
    logger.info(what, { device: device.id, name: record.name, token: token.id });
    return device;
  }

  #findSilent(): void {
    const sinceMs = this.#deps.clock.monotonicMs() - this.#options.livenessTimeoutMs;
    for (const device of [...this.#fleet.all()]) {
      if (device.presence !== 'offline' && device.lastHeardMs <= sinceMs) {
        this.#gone(device, `the device was silent for ${this.#options.livenessTimeoutMs} ms`);
      }
    }
    for (const device of this.#pending) if (device.lastHeardMs <= sinceMs) device.presence = 'offline';
  }

  /** Refused from now on, whatever it does. */
  #putOut(device: FleetDevice, record: DeviceRecord, why: string): void {
    this.#setRecord(device, record);
    device.watcher = undefined;
    this.#fleet.remove(device);
    this.#pending.delete(device);
    this.#gone(device, why);
    this.#deps.cut?.(device.id);
  }

  #available(device: FleetDevice): void {
    const { revoked, pending } = device.record;
    if (device.presence !== 'online' || revoked || pending) return;
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

  #waiting(id: PeerId): FleetDevice {
    const device = this.#known(id);
    const { pending, revoked, name } = device.record;
    if (pending && !revoked) return device;
    const why = !pending ? 'does not wait for approval' : 'was rejected';
    throw new ShoalError('conflict', `${name} ${why}`, { device: id });
  }

  #add(record: DeviceRecord): FleetDevice {
    const device = new FleetDevice(record, this.#importKey, this.#deps.clock.monotonicMs(), this.#priors);
    this.#devices.set(device.id, device);
    device.followers = this.#watch;
    this.#priors.count(device.kind, believed(record), 1);
    if (record.revoked) device.presence = 'offline';
    else this.#enlist(device);
    this.#watch.touched(device.id);
    return device;
  }

  /** From now on work may be placed on it, unless it has to wait for that. */
  #enlist(device: FleetDevice): void {
    if (device.record.pending) {
      this.#pending.add(device);
      return;
    }
    device.watcher = this.#fleet;
    this.#fleet.put(device);
  }

  #setRecord(device: FleetDevice, record: DeviceRecord): void {
    this.#priors.count(device.kind, believed(device.record), -1);
    device.setRecord(record);
    this.#priors.count(device.kind, believed(record), 1);
  }
}
