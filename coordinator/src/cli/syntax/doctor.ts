import type { Command } from 'commander';
import type { ClientOptions } from '../context.ts';
import type { SetExitCode } from '../exit-codes.ts';
import type { World } from '../world.ts';

export function addDoctor(program: Command, world: World, setExitCode: SetExitCode): void {
  program
    .command('doctor')
    .description('What this machine can decode, run and reach, and what to install')
    .option('--json', 'print JSON for programs')
    .option('--url <url>', 'where the coordinator answers')
    .option('--key <key>', 'its API key (better: SHOAL_API_KEY)')
    .option('--data <dir>', 'the data folder of a coordinator on this machine')
    .action(async (options: ClientOptions) => {
      const { doctor } = await import('../commands/doctor.ts');
      setExitCode(await doctor({ ...options, json: options.json ?? false }, world));
    });
}
