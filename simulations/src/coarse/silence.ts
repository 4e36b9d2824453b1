import type { Telemetry } from '@shoal/protocol';

/** What a device reports that has nothing to say but that it is there. */
export const silence: Telemetry = {
  batteryPct: null,
  charging: null,
  temperatureC: null,
  throttled: null,
  cpuLoad: 0,
  memoryAvailableBytes: 1e9,
  running: 0,
  queued: 0,
  outbox: 0,
  cameras: [],
  loadedModels: [],
  links: [],
};
