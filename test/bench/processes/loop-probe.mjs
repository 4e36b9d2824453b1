// Preloaded into a process (`node --import`): answers the IPC message `loop` with how long its event loop was blocked since the last one.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on('message', (message) => {
  if (message !== 'loop') return;
  process.send?.({ maxMs: delay.max / 1e6, p99Ms: delay.percentile(99) / 1e6, samples: delay.count });
  delay.reset();
});
// Listening must not keep the process alive.
process.channel?.unref();
