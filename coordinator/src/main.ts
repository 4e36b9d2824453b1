import { interruption, systemClock, systemRandom } from '@shoal/protocol/real';
import { askSecret, runShoal } from './cli/index.ts';

// The process of the `shoal` command: arguments, environment, signals, exit code.

const interrupted = interruption();

// `shoal tasks | head`: who reads has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const exitCode = await runShoal(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  random: systemRandom,
  interrupted,
  // Loaded when it is asked for: most commands only call one that runs.
  openCoordinator: async (request) => (await import('./ports.ts')).openCoordinator(request),
  ...(process.stdin.isTTY && { askSecret: (question) => askSecret(question, interrupted) }),
});
// What was written last may still be on its way.
process.stdout.write('', () => process.exit(exitCode));
