// Preloaded into a process (`node --import`): answers the IPC message `loop` with how long its event loop was blocked since the last one, by the clock and
// by its own work. On a machine whose cores are all busy a turn also takes long because its thread, or one that it waits for, had no core.
import { openSync, readSync } from 'node:fs';
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { isMainThread } from 'node:worker_threads';

// Inference threads preload it too.
if (isMainThread) watch();

function watch() {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const work = createHistogram();
  const blockedMs = watchSqlite();
  let last = threadTimes();
  // Each turn of the loop is between two of these: what its thread computed, and what it waited for in SQLite, which is the disk.
  setInterval(() => {
    const now = threadTimes();
    work.record(Math.max(1, Math.round((now.ranMs - last.ranMs + blockedMs()) * 1e6)));
    last = now;
  }, 1).unref();
  process.on('message', (message) => {
    if (message !== 'loop') return;
    process.send?.({ clock: summary(delay), work: summary(work) });
    delay.reset();
    work.reset();
    last = threadTimes();
  });
  // Listening must not keep the process alive.
  process.channel?.unref();
}

function summary(histogram) {
  return { maxMs: histogram.max / 1e6, p99Ms: histogram.percentile(99) / 1e6 };
}

/** Of the main thread (Documentation/scheduler/sched-stats.rst): the time on a core, and the time in which it could have run but had none. */
function threadTimes() {
  threadTimes.file ??= openSync('/proc/self/schedstat');
  threadTimes.buffer ??= Buffer.alloc(64);
  const length = readSync(threadTimes.file, threadTimes.buffer, 0, 64, 0);
  const [ran, waited] = threadTimes.buffer.latin1Slice(0, length).split(' ');
  return { ranMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 };
}

/** Returns how long SQLite's calls were blocked since the last time it was asked: neither computing nor waiting for a core. */
function watchSqlite() {
  let blockedMs = 0;
  const methods = [
    [DatabaseSync.prototype, ['exec']],
    [StatementSync.prototype, ['run', 'get', 'all']],
  ];
  for (const [prototype, names] of methods) {
    for (const name of names) {
      const original = prototype[name];
      prototype[name] = function (...args) {
        const [startMs, before] = [performance.now(), threadTimes()];
        try {
          return original.apply(this, args);
        } finally {
          const [endMs, after] = [performance.now(), threadTimes()];
          blockedMs += Math.max(0, endMs - startMs - (after.ranMs - before.ranMs) - (after.waitedMs - before.waitedMs));
        }
      };
    }
  }
  return () => {
    const since = blockedMs;
    blockedMs = 0;
    return since;
  };
}
