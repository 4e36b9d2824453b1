import type { Command } from 'commander';
import { exitCodesHelp, type SetExitCode } from '../exit-codes.ts';
import type { World } from '../world.ts';

export function addVerify(program: Command, world: World, setExitCode: SetExitCode): void {
  program
    .command('verify')
    .description('Check the proof of a result, offline')
    .argument('<file...>', 'proof files, NAME.proof.json')
    .option('--input <file>', 'also check that the result is about this picture')
    .option('--json', 'print JSON for programs')
    .addHelpText(
      'after',
      `
A proof holds the result, the statement that the device signed about it, and the device's key. That it is valid shows: this
device said that this model gave this result for the input with this digest. Whether the device is yours, compare its id:
shoal devices.
${exitCodesHelp}`,
    )
    .action(async (files: string[], options: { input?: string; json?: boolean }) => {
      const { verify } = await import('../commands/verify.ts');
      setExitCode(await verify(files, { ...options, json: options.json ?? false }, world));
    });
}
