import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { type LogLevel, logLevels, ShoalError } from '@shoal/protocol';
import { type ServiceKind, serviceKinds } from '../service/index.ts';

/*
 * `parseArgs` of Node and not commander, which the other command lines of Shoal use: measured, it costs an agent 6.4 MB of resident memory and 10 ms
 * of start-up for four commands.
 */

export const helpText = `Usage: shoal-agent <command> [options]

Runs analysis on this device for a Shoal fleet.

Commands:
  join <token>   join the fleet that the token is of (shoal token create makes one), and work for it
  run            work for the fleet that was joined before: after a restart no token is needed
  rekey          give this device a new key: its coordinator knows it by that one from then on, and refuses the old one
  status         what the data folder holds: coordinator, waiting results, cameras, measured models; and the service
  doctor         what this machine can decode and run, and what to install

  install <token>    join, and be a service that starts with this machine (systemd, launchd, Termux:Boot)
  upgrade [package]  put this version (or a package file or folder) in the place of the installed one; identity and waiting
                     results stay, and the version before comes back by itself when the new one does not join within a minute
  uninstall          remove the service and every trace of it

Options:
  --data <dir>           folder of the key, the state and the results that wait (default: ./shoal-agent; status, doctor: the service's, where one is)
  --name <name>          join, run: what the device calls itself (default: the name of the host)
  --upload-limit <MB/s>  join, run: what other agents may fetch of its models over libp2p; 0 for nothing (default: 8)
  --log-format <format>  join, run, rekey: text for people, json for machines (default: text)
  --log-level <level>    join, run, rekey: ${logLevels.join(', ')} (default: info)
  --json                 status, doctor: as JSON
  --root <dir>           install, upgrade, uninstall, status: a folder that stands for / (an image, a card of another machine)
  --kind <kind>          install: systemd, launchd or termux (default: what this machine has)
  --keep-data            uninstall: leave key, state and waiting results
  -h, --help             this text
  --version              name and version

A token of - is read from the input, so that it is in no list of processes.
The agent ends tidily at Ctrl-C or SIGTERM: it finishes or hands back its work, delivers what it can and says goodbye.
`;

export interface RunFlags {
  readonly data: string;
  readonly name?: string;
  readonly uploadBytesPerSecond?: number;
  readonly logFormat: 'json' | 'text';
  readonly logLevel: LogLevel;
}

export type ServiceCommand = { readonly root: string | undefined } & (
  | { readonly command: 'install'; readonly token: string | undefined; readonly kind: ServiceKind | undefined }
  | { readonly command: 'upgrade'; readonly source: string | undefined }
  | { readonly command: 'uninstall'; readonly keepData: boolean }
  /** What the service manager runs to end the trial of an upgrade. */
  | { readonly command: 'settle' }
);

/** Folder of an agent that nobody gave another. */
export const defaultData = './shoal-agent';

export type ParsedCommand =
  | { readonly command: 'join'; readonly token: string; readonly flags: RunFlags }
  | { readonly command: 'run' | 'rekey'; readonly flags: RunFlags }
  | {
      readonly command: 'status' | 'doctor';
      /** Left out: the service's, else the default. */
      readonly data: string | undefined;
      readonly json: boolean;
      readonly root: string | undefined;
    }
  | ServiceCommand
  | { readonly command: 'help' | 'version' };

const data = { data: { type: 'string' } } as const;
const common = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } } as const;
const running = {
  ...data,
  ...common,
  name: { type: 'string' },
  'upload-limit': { type: 'string' },
  'log-format': { type: 'string', default: 'text' },
  'log-level': { type: 'string', default: 'info' },
} as const;
const root = { root: { type: 'string' } } as const;
const looking = { ...data, ...root, ...common, json: { type: 'boolean', default: false } } as const;
const serving = {
  ...root,
  ...common,
  kind: { type: 'string' },
  'keep-data': { type: 'boolean', default: false },
} as const;

/** What a person asked for on the command line. @throws `input.invalid` that names the argument */
export function parseCommand(args: readonly string[]): ParsedCommand {
  const [command = 'help', ...rest] = args;
  switch (command) {
    case 'join':
    case 'run':
    case 'rekey': {
      const { values, positionals } = parsed(rest, running, command === 'join' ? 1 : 0);
      if (values.help) return { command: 'help' };
      const flags: RunFlags = {
        data: values.data ?? defaultData,
        ...(values.name !== undefined && { name: values.name }),
        ...uploadLimit(values['upload-limit']),
        logFormat: oneOf('--log-format', values['log-format'], ['text', 'json']),
        logLevel: oneOf('--log-level', values['log-level'], logLevels),
      };
      if (command !== 'join') return { command, flags };
      const [token] = positionals;
      if (token === undefined) throw invalid('join needs a token: shoal-agent join TOKEN');
      return { command, token, flags };
    }
    case 'status':
    case 'doctor': {
      const { values } = parsed(rest, looking, 0);
      return values.help ? { command: 'help' } : { command, data: values.data, json: values.json, root: values.root };
    }
    case 'install':
    case 'upgrade':
    case 'uninstall':
    case 'settle':
      return serviceCommand(command, rest);
    case 'help':
    case '--help':
    case '-h':
      return { command: 'help' };
    case '--version':
      return { command: 'version' };
    default:
      throw invalid(`there is no command ${command}: join, run, rekey, status, doctor, install, upgrade or uninstall`);
  }
}

function serviceCommand(command: ServiceCommand['command'], args: string[]): ParsedCommand {
  const takesOne = command === 'install' || command === 'upgrade';
  const { values, positionals } = parsed(args, serving, takesOne ? 1 : 0);
  if (values.help) return { command: 'help' };
  const { root } = values;
  const [argument] = positionals;
  switch (command) {
    case 'install': {
      const kind = values.kind === undefined ? undefined : oneOf('--kind', values.kind, serviceKinds);
      return { command, root, token: argument, kind };
    }
    case 'upgrade':
      return { command, root, source: argument };
    case 'uninstall':
      return { command, root, keepData: values['keep-data'] };
    case 'settle':
      return { command, root };
  }
}

function parsed<Options extends ParseArgsOptionsConfig>(args: string[], options: Options, mostPositionals: number) {
  try {
    const found = parseArgs({ args, options, allowPositionals: mostPositionals > 0 });
    if (found.positionals.length > mostPositionals)
      throw new Error(`${found.positionals[mostPositionals]} is one argument too many`);
    return found;
  } catch (error) {
    // What Node adds on how to escape a dash is not what is wrong.
    throw invalid(
      error instanceof Error ? error.message.replace(/\. To specify a positional argument.*/s, '') : String(error),
    );
  }
}

function uploadLimit(text: string | undefined): Pick<RunFlags, 'uploadBytesPerSecond'> {
  if (text === undefined) return {};
  const megabytes = Number(text);
  if (text.trim() === '' || !(megabytes >= 0) || megabytes === Number.POSITIVE_INFINITY) {
    throw invalid(`--upload-limit must be a number of MB/s, 0 or more, is ${text}`);
  }
  return { uploadBytesPerSecond: megabytes * 1_000_000 };
}

function oneOf<Value extends string>(name: string, value: string, values: readonly Value[]): Value {
  const found = values.find((one) => one === value);
  if (found === undefined) throw invalid(`${name} must be ${values.join(' or ')}, is ${value}`);
  return found;
}

function invalid(message: string): ShoalError {
  return new ShoalError('input.invalid', message);
}
