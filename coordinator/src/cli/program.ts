import { asShoalError, redactWords } from '@shoal/protocol';
import { Command, CommanderError } from 'commander';
import { reportError } from './context.ts';
import { addCoordinatorCommand } from './coordinator/index.ts';
import { type ExitCode, exitCodeOf, exitCodes, exitCodesHelp, type SetExitCode } from './exit-codes.ts';
import {
  addAnalyze,
  addCameras,
  addDevices,
  addDoctor,
  addKeys,
  addTasks,
  addTokens,
  addVerify,
  addWebhooks,
} from './syntax/index.ts';
import { version } from './version.ts';
import type { World } from './world.ts';

/** Runs one command line. @returns the exit code; nothing is thrown. */
export async function runShoal(words: readonly string[], world: World): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const program = buildProgram(world, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (world.interrupted.aborted) return exitCodes.interrupted;
    reportError(thrown, world, words.includes('--json'));
    return asShoalError(thrown).code === 'input.invalid' ? exitCodes.usage : exitCodeOf(thrown);
  }
}

function buildProgram(world: World, setExitCode: SetExitCode): Command {
  const program = new Command('shoal')
    .description('Place image and video analysis on the devices you have, and prove each result.')
    .version(version, '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(redactWords(text)),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('(add --help for how to use it)')
    .helpCommand(true)
    .addHelpText(
      'after',
      `
Examples:
  shoal analyze dog.jpg                     what is in a picture, where it ran and why
  shoal verify shoal-out/dog.proof.json     check the proof of that result, offline
  shoal devices                             the fleet
  shoal cameras add rtsp://HOST/STREAM      watch a camera
  shoal token create                        let another device join
${exitCodesHelp}`,
    );
  addCoordinatorCommand(program, world, setExitCode);
  addAnalyze(program, world, setExitCode);
  addVerify(program, world, setExitCode);
  addDevices(program, world);
  addTasks(program, world);
  addCameras(program, world);
  addWebhooks(program, world, setExitCode);
  addTokens(program, world);
  addKeys(program, world);
  addDoctor(program, world, setExitCode);
  return program;
}
