import { type Command, InvalidArgumentError, Option } from 'commander';
import { readCostWeights, strategies } from '../../placement/index.ts';
import { exitCodesHelp, type SetExitCode } from '../exit-codes.ts';
import type { World } from '../world.ts';
import type { CoordinatorOptions } from './options.ts';

export function addCoordinatorCommand(program: Command, world: World, setExitCode: SetExitCode): void {
  program
    .command('coordinator')
    .description('Run the coordinator: the REST API, an MQTT broker, the placement of work')
    .option('--data <dir>', 'where everything is kept (the user’s data folder unless told)')
    .option('--http-port <n>', 'port of the REST API, 0 = any free', port, 8080)
    .option('--http-host <host>', 'address of the REST API; 0.0.0.0 lets other machines in', '127.0.0.1')
    .option('--mqtt-port <n>', 'port of the broker for devices, 0 = any free', port, 1883)
    .option('--mqtt-host <host>', 'address of the broker', '0.0.0.0')
    .option('--mqtts-port <n>', 'the broker also over TLS; join tokens then name encrypted addresses only', port)
    .option('--ws-port <n>', 'the broker also over WebSocket', port)
    .option('--wss-port <n>', 'the broker also over WebSocket with TLS', port)
    .option('--tls-cert <file>', 'certificate for them, PEM (without: devices trust the coordinator’s own key)')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--mqtt-url <url>', 'use a broker that already runs, like mqtt://host:1883, instead')
    .option('--coap-port <n>', 'take devices over CoAP too, on this UDP port; 0 = any free (off unless told)', port)
    .option('--coap-host <host>', 'address for CoAP', '0.0.0.0')
    .option('--libp2p-port <n>', 'take devices over libp2p too, without a broker; 0 = any free (off unless told)', port)
    .option('--libp2p-host <host>', 'address for libp2p', '0.0.0.0')
    .option('--address <url...>', 'where devices reach it, for join tokens, best first (found out unless told)')
    .option(
      '--announce <url>',
      'say what goes on before the cameras on this broker, for Home Assistant and others: mqtt://USER:PASSWORD@HOST (or SHOAL_ANNOUNCE)',
    )
    .option('--announce-frigate', 'there also as Frigate says it, under frigate/')
    .option('--port-search', 'when the port of the REST API, or of MQTT, is taken, try the next ones')
    .option('--insecure-loopback', 'programs on this machine need no API key')
    .option('--allow-private-urls', 'let tasks and webhooks name URLs on this machine and its network')
    .option('--device-limit <n>', 'devices that may join', wholeNumber, 10_000)
    .option(
      '--heartbeat <seconds>',
      'how often devices report; five of them without a word and one is given up',
      wholeNumber,
      2,
    )
    .option('--upload-limit-mb <n>', 'largest upload', megabytes, 256)
    .addOption(
      new Option(
        '--seal <when>',
        'hide what is said from the broker and the network: of all devices, of those that join with new tokens, of none',
      )
        .choices(['required', 'offered', 'off'])
        .default('off'),
    )
    .addOption(
      new Option('--log-format <format>', 'of the log on standard error').choices(['text', 'json']).default('text'),
    )
    .addOption(
      new Option('--log-level <level>', 'least serious lines shown')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addOption(
      new Option('--strategy <name>', 'how devices are chosen (docs/placement.md)')
        .choices(strategies.map(({ name }) => name))
        .default('cost'),
    )
    .option(
      '--weights <list>',
      'what counts how much, like perMiss=0.5,perJoule=2 (docs/placement.md)',
      readCostWeights,
    )
    .option('--json', 'print where it listens as one line of JSON')
    .addHelpText(
      'after',
      `
At its first start it makes an API key and shows it once. Commands of the same user on this machine need none: they read
coordinator.json in the data folder, which only that user can. SIGINT or SIGTERM lets work finish and ends with 0; a second one
ends at once.

Examples:
  shoal coordinator                                  for this machine, and devices around it
  shoal coordinator --http-host 0.0.0.0              let other machines use the REST API
  shoal coordinator --http-port 0 --mqtt-port 0      any free ports; it says which
${exitCodesHelp}`,
    )
    .action(async (options: CoordinatorOptions) => {
      const { runCoordinator } = await import('./run.ts');
      setExitCode(await runCoordinator(options, world));
    });
}

function port(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535) throw new InvalidArgumentError('It is a number from 0 to 65535.');
  return value;
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It is a whole number, one or more.');
  return Number(text);
}

function megabytes(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('It is a whole number of megabytes.');
  return Number(text);
}
