import type { Health } from '../domain/index.ts';

export interface HealthFacts {
  readonly devices: Health['devices'];
  readonly tasks: Health['tasks'];
  readonly cameras: { readonly placed: number; readonly waiting: number };
  readonly liveTaskLimit: number;
  /** Why the store could not write the last time that it tried. */
  readonly storeFailure: string | undefined;
}

/** How the coordinator is: degraded as soon as something is wrong that a person should see to. */
export function assessHealth(facts: HealthFacts): Health {
  const { devices, tasks, cameras, storeFailure, liveTaskLimit } = facts;
  const live = tasks.queued + tasks.running;
  const checks = {
    store: { ok: storeFailure === undefined, detail: storeFailure ?? 'writes' },
    devices: {
      ok: devices.online > 0 || devices.known === 0,
      detail: `${devices.online} of ${devices.known} devices are online`,
    },
    queue: { ok: live < liveTaskLimit, detail: `${live} of at most ${liveTaskLimit} tasks have not ended` },
    cameras: {
      ok: cameras.waiting === 0,
      detail: `${cameras.placed} cameras run, ${cameras.waiting} wait for a device`,
    },
  };
  const ok = Object.values(checks).every((check) => check.ok);
  return { status: ok ? 'ok' : 'degraded', checks, devices, tasks };
}
