// Loaded first (`node --import`) into every process that `npm start` makes. The channel to the parent closes when the parent is gone,
// however it ended (`kill -9` too): then this process is asked to end, and a moment later made to.

const patienceMs = 12_000;

process.on('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(1), patienceMs).unref();
});
// The channel alone keeps no process alive.
process.channel?.unref();
