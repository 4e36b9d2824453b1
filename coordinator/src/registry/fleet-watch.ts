import { type Clock, delay, type PeerId, ShoalError } from '@shoal/protocol';
import type { DeviceView, FleetNews } from '../domain/index.ts';

/** Changes of this time are gathered before they are told, ms: a device that comes back changes in many ways at once. */
const gatherMs = 200;
const mostFollowers = 256;

interface Deps {
  readonly clock: Clock;
  readonly list: () => readonly DeviceView[];
  readonly view: (id: PeerId) => DeviceView | undefined;
}

interface Follower {
  /** Not looked at yet. Who is slow hears how a device is now, and not how it was: more than the fleet never waits. */
  readonly touched: Set<PeerId>;
  wake(): void;
}

/** Tells those who follow the fleet what changes in it. While nobody does, it costs nothing. */
export class FleetWatch {
  readonly #deps: Deps;
  readonly #followers = new Set<Follower>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Something about the device may be different. */
  touched(id: PeerId): void {
    for (const follower of this.#followers) {
      follower.touched.add(id);
      follower.wake();
    }
  }

  /** The fleet as it is, then what changes, until the signal is aborted. @throws `queue.full` */
  async *follow(signal: AbortSignal): AsyncIterable<FleetNews> {
    if (this.#followers.size >= mostFollowers)
      throw new ShoalError('queue.full', `${mostFollowers} already follow the fleet`);
    const follower: Follower = { touched: new Set(), wake: () => {} };
    this.#followers.add(follower);
    try {
      const devices = this.#deps.list().filter(({ revoked }) => !revoked);
      /** By device, what its follower knows of it. */
      const known = new Map(devices.map((device) => [device.id, noticeableOf(device)]));
      yield { kind: 'snapshot', devices };
      for (;;) {
        await somethingIn(follower, signal);
        await delay(this.#deps.clock, 'registry: changes of the fleet', gatherMs, signal);
        for (const id of [...follower.touched]) {
          follower.touched.delete(id);
          const device = this.#deps.view(id);
          const news = device && newsOf(device, known);
          if (news) yield news;
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#followers.delete(follower);
    }
  }
}

function newsOf(device: DeviceView, known: Map<PeerId, string>): FleetNews | undefined {
  const before = known.get(device.id);
  if (device.revoked) return known.delete(device.id) ? { kind: 'left', device } : undefined;
  const now = noticeableOf(device);
  if (now === before) return undefined;
  known.set(device.id, now);
  return { kind: before === undefined ? 'joined' : 'changed', device };
}

/** What of a device somebody is told of when it changes. What never stands still (loads, round trips) is told along with it. */
function noticeableOf({ presence, name, labels, draining, pending, link, telemetry }: DeviceView): string {
  const { batteryPct, charging, throttled, cameras = [], links = [] } = telemetry ?? {};
  const battery = batteryPct === undefined || batteryPct === null ? undefined : Math.round(batteryPct);
  const condition = { battery, charging, throttled, cameras: cameras.map(({ cameraId, state }) => [cameraId, state]) };
  const ways = links.map(({ kind, up, inUse }) => [kind, up, inUse]);
  return JSON.stringify({ presence, name, labels, draining, pending, up: link.up, ways, ...condition });
}

function somethingIn(follower: Follower, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    const onAbort = () => reject(signal.reason);
    follower.wake = end;
    if (signal.aborted) onAbort();
    else if (follower.touched.size > 0) resolve();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
