import { type Clock, every, type Random, type ShoalError } from '@shoal/protocol';
import type { Camera, Placement } from '../domain/index.ts';
import type { Apportionment, PlacementPolicy } from '../placement/index.ts';
import type { FleetDevice, FleetListener, Registry } from '../registry/index.ts';
import type { Store } from '../store/index.ts';
import { grantNow, grantOf, needText } from './assignment.ts';
import type { CameraLine } from './camera-line.ts';
import { CameraLooks, isSame } from './camera-looks.ts';
import { CameraPlanner } from './camera-planner.ts';
import { DeviceRooms } from './device-rooms.ts';
import { HandOvers } from './hand-overs.ts';
import { byRank, type LiveCamera } from './live-camera.ts';
import { withMove } from './moves.ts';
import { Turns } from './turns.ts';

export interface BinderOptions {
  readonly placement: PlacementPolicy;
  /** How long a device may take to answer that it takes a camera, ms. */
  readonly assignTimeoutMs: number;
}

/** Cameras are looked at again this often, ms. */
const lookAgainMs = 2_000;
/** And this long after a device has become available: in a large fleet one does so all the time, ms. */
const lookSoonMs = 50;
/** Cameras on their way to a device at the same time: of a device that dies, not all at once fall upon the others. */
const onTheirWay = 4;
/** A device that did not answer so often in a row is given up for this camera, for now. */
const deafAfter = 3;
const pausedReason = 'it is paused';
/** Devices that had a camera before, as many as are remembered. */
const formerKept = 16;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Pick<Store, 'defer'>;
  readonly registry: Registry;
  readonly line: CameraLine;
  /** By id; whoever keeps them adds and removes. */
  readonly cameras: ReadonlyMap<string, LiveCamera>;
}

/** Binds cameras to devices, and binds them anew when a device is gone, says no, or has to be spared. */
export class CameraBinder implements FleetListener {
  readonly #deps: Deps;
  readonly #options: BinderOptions;
  readonly #rooms: DeviceRooms;
  readonly #planner: CameraPlanner;
  readonly #looks: CameraLooks;
  readonly #handOvers = new HandOvers();
  readonly #turns = new Turns();
  /** Bound, and not agreed to yet. */
  readonly #underWay = new Set<LiveCamera>();
  /** Every camera that waits for a device or has to leave its own, and some that do not any more; `undefined`: nobody has looked yet. */
  #restless: Set<LiveCamera> | undefined;
  #stopLooking = () => {};
  #stopped = false;
  #looking = false;

  constructor(deps: Deps, options: BinderOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#rooms = new DeviceRooms(deps.cameras, deps.registry);
    this.#planner = new CameraPlanner({ ...deps, rooms: this.#rooms }, options.placement);
    this.#looks = new CameraLooks(
      { ...deps, rooms: this.#rooms, planner: this.#planner },
      {
        sendAway: (live, reason) => this.#sendAway(live, reason),
        move: (live, placement, reason) => this.#move(live, placement, reason),
        give: (device, apportionment) => this.#give(device, apportionment),
      },
    );
  }

  start(): void {
    this.#stopLooking = every(this.#deps.clock, 'cameras: look again', lookAgainMs, () => {
      for (const id of this.#handOvers.overdue(this.#deps.clock.monotonicMs())) this.#endHandOver(id);
      this.#looks.look();
      this.#lookAgain();
      this.#findMissing();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#stopLooking();
  }

  /** Finds a device for the camera, or keeps the one it has, and tells it. */
  settle(live: LiveCamera): void {
    if (this.#stopped || live.removed || !live.resolved) return;
    const { registry } = this.#deps;
    const bound = live.camera.device === undefined ? undefined : registry.device(live.camera.device);
    if (live.camera.spec.paused) {
      this.#unbind(live, pausedReason);
      if (live.camera.reason !== pausedReason) this.change(live, { reason: pausedReason, refused: [] });
      return;
    }
    if (bound && this.#mayStay(live, bound)) {
      this.#fit(live, bound);
      this.#assign(live, bound);
      return;
    }
    if (bound) this.#unbind(live, 'it does not fit what is asked for any more');
    this.#restless?.add(live);
    const plan = this.#planner.anywhere(live);
    if (plan.kind === 'placed') this.#bind(live, plan.placement);
    else if (live.camera.reason !== plan.reason) this.change(live, { reason: plan.reason, refused: plan.refused });
  }

  /** The camera was removed: its device is free of it. */
  release(live: LiveCamera): void {
    const { id, device } = live.camera;
    this.#underWay.delete(live);
    this.#endHandOver(id);
    this.#rooms.count(device);
    if (device !== undefined) this.#takeOff(device, id, 'the camera was removed');
  }

  /** Takes the change in at once; it is durable with the next commit. */
  change(live: LiveCamera, change: Partial<Camera>): void {
    live.camera = { ...live.camera, ...change };
    if (change.device !== undefined) this.#rooms.bound(live);
    if (this.#isRestless(live)) this.#restless?.add(live);
    if (!live.removed) this.#deps.store.defer({ kind: 'camera', camera: live.camera });
  }

  /** What was granted holds no more: what is asked for has changed. */
  forgetGrant(live: LiveCamera): void {
    const { grant: _, ...camera } = live.camera;
    live.camera = camera;
    live.cameFrom &&= { ...live.cameFrom, grant: undefined };
    live.mustLeave = undefined;
    live.left.clear();
    live.declined.clear();
  }

  /** A result of it came from the device. */
  reported(live: LiveCamera, device: FleetDevice): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const last = live.camera.moves?.at(-1);
    if (last && last.gapMs === undefined && last.to === device.id && live.lastReportMs !== undefined) {
      const gapMs = Math.round(nowMs - live.lastReportMs);
      this.change(live, { moves: [...(live.camera.moves ?? []).slice(0, -1), { ...last, gapMs }] });
    }
    live.lastReportMs = nowMs;
  }

  /** The device said which cameras it has: the two sides agree again. */
  reconcile(device: FleetDevice, runningThere: readonly string[]): void {
    for (const id of runningThere) {
      const live = this.#deps.cameras.get(id);
      if (live && this.#goesOn(live, device)) this.#takeBack(live, device);
      this.#takeOffWhatIsElsewhere(device, id);
    }
    this.#rooms.count(device.id);
    // Said again even when it has the camera: it may have an older revision. One that it has already changes nothing.
    for (const live of this.#rooms.on(device.id)) {
      this.#fit(live, device);
      this.#assign(live, device);
    }
  }

  /** The device reported which cameras it has: what got lost on the way there, a removal or a hello, is made up for. */
  heardOf(device: FleetDevice): void {
    for (const status of device.telemetry?.cameras ?? []) {
      const live = this.#deps.cameras.get(status.cameraId);
      if (live?.camera.device === device.id) {
        live.saw(status);
        if (status.state === 'running') this.#endHandOver(status.cameraId);
      } else this.#takeOffWhatIsElsewhere(device, status.cameraId);
    }
  }

  onAvailable(device: FleetDevice): void {
    if (device.draining)
      for (const live of this.#rooms.on(device.id)) this.#sendAway(live, 'the device is being drained');
    if (this.#looking) return;
    this.#looking = true;
    this.#deps.clock.after('cameras: look again', lookSoonMs, () => {
      this.#looking = false;
      this.#lookAgain();
    });
  }

  onGone(device: FleetDevice, reason: string): void {
    for (const live of this.#rooms.on(device.id)) this.#unbind(live, reason);
    this.#placeSome();
  }

  #lookAgain(): void {
    if (this.#stopped) return;
    const nowMs = this.#deps.clock.monotonicMs();
    for (const live of this.#deps.cameras.values()) {
      if (live.agreed) continue;
      live.forgive(nowMs);
      if (live.camera.device !== undefined && live.mustLeave === undefined && !live.asking) this.settle(live);
    }
    this.#placeSome();
  }

  #findMissing(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const live of this.#deps.cameras.values()) {
      if (!live.agreed) continue;
      live.forgive(nowMs);
      if (!live.asking && live.mustLeave === undefined && this.#isMissing(live, nowMs)) this.settle(live);
    }
  }

  /** Places some of those that wait, and those that have to leave, the most important first, a few at a time. */
  #placeSome(): void {
    if (this.#stopped || this.#underWay.size >= onTheirWay) return;
    const restless = this.#restless ?? new Set(this.#deps.cameras.values());
    this.#restless = restless;
    for (const live of restless) if (!this.#isRestless(live)) restless.delete(live);
    const todo = [...restless].filter(({ resolved }) => resolved);
    const leaving = todo.filter(({ camera }) => camera.device !== undefined);
    const waiting = this.#turns.of(todo.filter(({ camera }) => camera.device === undefined));
    for (const live of [...leaving, ...waiting].sort(byRank)) {
      if (this.#underWay.size >= onTheirWay) return;
      if (live.camera.device === undefined) this.settle(live);
      else if (live.mustLeave !== undefined) this.#moveAway(live, live.camera.device, live.mustLeave);
    }
  }

  #isRestless({ camera, mustLeave, removed }: LiveCamera): boolean {
    const isWaiting = camera.device === undefined && !camera.spec.paused;
    return !removed && (isWaiting || mustLeave !== undefined) && this.#deps.cameras.has(camera.id);
  }

  #sendAway(live: LiveCamera, reason: string): void {
    live.mustLeave ??= reason;
    this.#restless?.add(live);
  }

  /** Finds another place. Without one it waits; but heat alone is borne, for the device itself rests when it is too much. */
  #moveAway(live: LiveCamera, from: string, reason: string): void {
    const { clock, registry } = this.#deps;
    const device = registry.device(from);
    // One that is drained is refused as long as it is, and no longer.
    if (!device?.draining) live.leave(from, reason, clock.monotonicMs());
    const plan = this.#planner.anywhere(live);
    if (plan.kind === 'placed') {
      this.#move(live, plan.placement, reason);
      return;
    }
    live.mustLeave = undefined;
    if (device && device.heat !== undefined && !device.draining) {
      live.left.delete(from);
      const stays = `${reason}; stays all the same: ${plan.reason}`;
      if (live.camera.reason !== stays) this.change(live, { reason: stays, refused: plan.refused });
      return;
    }
    this.#unbind(live, reason);
    this.change(live, { reason: `${reason}; ${plan.reason}`, refused: plan.refused });
  }

  /** To another device. Where it is goes on until it runs there: nobody who watches should miss the seconds that takes. */
  #move(live: LiveCamera, placement: Placement, reason: string): void {
    const { device } = live.camera;
    if (device === undefined || placement.chosen.device === device) return;
    this.#leave(live, reason);
    this.#keepUntilItRuns(live.camera.id, device, reason);
    this.#bind(live, placement);
  }

  #keepUntilItRuns(id: string, from: string, reason: string): void {
    const { clock, registry } = this.#deps;
    if (registry.device(from)?.presence !== 'online') return;
    const before = this.#handOvers.keep(id, from, clock.monotonicMs());
    if (before !== undefined) this.#takeOff(before, id, reason);
  }

  #bind(live: LiveCamera, placement: Placement): void {
    const { clock, registry } = this.#deps;
    const { chosen, refused } = placement;
    const device = registry.device(chosen.device);
    if (!device) return;
    if (this.#handOvers.isKept(live.camera.id, device.id)) this.#handOvers.end(live.camera.id);
    const moves = withMove(live, device.id, clock.nowMs());
    const grant = grantOf(placement, live.camera);
    this.change(live, { device: device.id, grant, moves, refused, revision: live.camera.revision + 1 });
    live.settledMs = clock.monotonicMs();
    live.mustLeave = undefined;
    live.unanswered = 0;
    this.#underWay.add(live);
    this.#makeRoom(device, live);
    if (live.camera.device !== device.id) return;
    this.change(live, { reason: needText(live.camera, chosen) });
    this.#assign(live, device);
  }

  /** There is one more on the device, or one that asks for something else: others give way when they have to. */
  #makeRoom(device: FleetDevice, newcomer: LiveCamera): void {
    this.#rooms.count(device.id);
    if (this.#rooms.fits(device)) return;
    this.#give(device, this.#rooms.apportion(device, this.#rooms.on(device.id)), newcomer);
  }

  /** @param newcomer is told by whoever brought it. */
  #give(device: FleetDevice, { portions, out }: Apportionment, newcomer?: LiveCamera): void {
    const { cameras, clock } = this.#deps;
    for (const [id, { decode, fps }] of portions) {
      const live = cameras.get(id);
      const grant = live?.camera.grant;
      if (!live || !grant || isSame(grant, { decode, fps })) continue;
      live.settledMs = clock.monotonicMs();
      const more = live === newcomer ? {} : { revision: live.camera.revision + 1 };
      this.change(live, { grant: { ...grant, decode, fps }, ...more });
      if (live !== newcomer) this.#assign(live, device);
    }
    for (const id of out) {
      const live = cameras.get(id);
      if (live === newcomer && live) {
        // It would be placed there again, and again find no room: what a device takes to decode is known better while it has the camera.
        const reason = 'its device has no room for it after all';
        live.leave(device.id, reason, clock.monotonicMs());
        this.#unbind(live, reason);
      } else if (live) this.#sendAway(live, 'others that matter more need its device');
    }
    this.#rooms.count(device.id);
    if (out.length > 0) this.#deps.clock.soon('cameras: those that gave way', () => this.#placeSome());
  }

  /** The device had agreed to the camera and does not report it: it was taken off by a word that came late. */
  #isMissing({ camera, agreedMs }: LiveCamera, nowMs: number): boolean {
    const device = this.#deps.registry.device(camera.device ?? '');
    if (device?.presence !== 'online' || !device.telemetry) return false;
    if (nowMs - agreedMs < this.#options.assignTimeoutMs) return false;
    return !device.telemetry.cameras.some(({ cameraId }) => cameraId === camera.id);
  }

  /** A device that was cut off went on with the camera, and nobody else has it since. */
  #goesOn(live: LiveCamera, device: FleetDevice): boolean {
    const { device: bound, formerDevices } = live.camera;
    return bound === undefined && formerDevices.includes(device.id) && this.#mayStay(live, device);
  }

  #takeBack(live: LiveCamera, device: FleetDevice): void {
    const { cameFrom } = live;
    const grant = cameFrom?.device === device.id ? cameFrom.grant : undefined;
    const reason = 'it went on there while it was cut off';
    this.change(live, { device: device.id, reason, ...(grant && { grant }) });
  }

  #mayStay({ camera: { spec } }: LiveCamera, device: FleetDevice): boolean {
    if (device.record.revoked || device.draining || device.presence === 'offline') return false;
    if (spec.device !== undefined && spec.device !== device.id) return false;
    return Object.entries(spec.labels).every(([name, value]) => device.labels[name] === value);
  }

  #assign(live: LiveCamera, device: FleetDevice): void {
    const { revision } = live.camera;
    if (device.presence !== 'online' || live.camera.device !== device.id || !live.resolved || live.removed) return;
    if (live.asking === revision) return;
    live.asking = revision;
    live.agreed = false;
    this.#deps.line.ask(live, device, (error) => this.#answered(live, device, revision, error));
  }

  #answered(live: LiveCamera, device: FleetDevice, revision: number, error: ShoalError | undefined): void {
    if (error) this.#notTaken(live, device, revision, error);
    else if (live.camera.revision === revision) live.agree(this.#deps.clock.monotonicMs());
    if (live.asking !== revision) return;
    live.asking = undefined;
    this.#arrived(live);
  }

  /** It was answered, or will not be any more: there is room for the next one. */
  #arrived(live: LiveCamera): void {
    if (this.#underWay.delete(live)) this.#placeSome();
  }

  #notTaken(live: LiveCamera, device: FleetDevice, revision: number, error: ShoalError): void {
    if (
      live.removed ||
      live.camera.revision !== revision ||
      live.camera.device !== device.id ||
      error.code === 'closed'
    )
      return;
    // Silence is found out by liveness; only a device that answered has said no, or one that goes on talking and never answers.
    if (error.facts['fromPeer'] !== true && !this.#isDeaf(live, device, error)) return;
    live.decline(device.id, error.message, this.#deps.clock.monotonicMs());
    this.#unbind(live, `${device.record.name} would not take it: ${error.message}`);
    this.settle(live);
  }

  /** It reports, so it is not taken for lost; but nothing that it is told reaches it. */
  #isDeaf(live: LiveCamera, device: FleetDevice, error: ShoalError): boolean {
    if (error.code !== 'timeout' || device.telemetry?.cameras.some(({ cameraId }) => cameraId === live.camera.id))
      return false;
    live.unanswered += 1;
    return live.unanswered >= deafAfter;
  }

  /** Where a camera stays after a change, it is chosen again what is run. */
  #fit(live: LiveCamera, device: FleetDevice): void {
    if (live.camera.grant || !live.resolved) return;
    // It is no load to itself: without a grant it counts for none.
    this.#rooms.count(device.id);
    const plan = this.#planner.on(live, device.id);
    // It is there already: what new work would be refused for sends it away only when it lasts, and until then it counts.
    const grant = plan.kind === 'placed' ? grantOf(plan.placement, live.camera) : grantNow(live);
    this.change(live, { grant, revision: live.camera.revision + 1 });
    live.settledMs = this.#deps.clock.monotonicMs();
    this.#makeRoom(device, live);
    if (live.camera.device !== device.id) return;
    const reason =
      plan.kind === 'placed' ? needText(live.camera, plan.placement.chosen) : `stays where it is: ${plan.reason}`;
    this.change(live, { reason });
  }

  #unbind(live: LiveCamera, reason: string): void {
    const { device, id } = live.camera;
    if (device === undefined) return;
    this.#leave(live, reason);
    this.#takeOff(device, id, reason);
  }

  /** It has no device any more; the one that it had is not told. */
  #leave(live: LiveCamera, reason: string): void {
    const { device, grant, ...camera } = live.camera;
    if (device === undefined) return;
    const former = [...camera.formerDevices.filter((id) => id !== device), device].slice(-formerKept);
    live.camera = camera;
    live.cameFrom = { device, grant, reason };
    live.agreed = false;
    live.asking = undefined;
    live.mustLeave = undefined;
    this.#underWay.delete(live);
    this.change(live, { formerDevices: former, reason });
    this.#rooms.count(device);
  }

  #endHandOver(cameraId: string): void {
    const from = this.#handOvers.end(cameraId);
    if (from !== undefined) this.#takeOff(from, cameraId, 'it runs elsewhere now');
  }

  #takeOffWhatIsElsewhere(device: FleetDevice, cameraId: string): void {
    if (this.#deps.cameras.get(cameraId)?.camera.device === device.id) return;
    if (this.#handOvers.isKept(cameraId, device.id)) return;
    this.#takeOff(device.id, cameraId, 'the camera runs elsewhere or was removed');
  }

  #takeOff(deviceId: string, cameraId: string, reason: string): void {
    if (this.#deps.registry.device(deviceId)?.presence !== 'online') return;
    this.#deps.line.takeOff(deviceId, cameraId, reason);
  }
}
