import { existsSync } from 'node:fs';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { interruption } from '@shoal/protocol/real';
import { runFleet } from './start/fleet.ts';

// `npm start`: a whole fleet on this machine, from nothing to detections. A coordinator, agents that join it, a sample camera.

const help = `npm start [-- OPTIONS]: a fleet on this machine: a coordinator, agents, and a camera that is watched.

  --camera URL|FILE   what to watch (a sample clip unless told)
  --agents N          agents to start (1)
  --http-port N       port of the REST API (8080; 0 = any free)
  --mqtt-port N       port of the broker (1883; 0 = any free)
  --data DIR          keep everything there (unless told: a folder that is removed at the end)
  --help              this

Ctrl-C ends it: work in hand is finished, nothing is left running.

While it runs, in another terminal:
  npx shoal analyze FILE          what is in a picture, where it ran and why
  npx shoal devices               the fleet
  npx shoal cameras               the cameras; add, change and remove them while it runs`;

interface Options {
  readonly camera?: string;
  readonly agents: number;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly data?: string;
}

const options = readOptions();
if (options) {
  process.exit(await runFleet(options, interruption()));
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        camera: { type: 'string' },
        agents: { type: 'string', default: '1' },
        'http-port': { type: 'string', default: '8080' },
        'mqtt-port': { type: 'string', default: '1883' },
        data: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      console.log(help);
      return undefined;
    }
    if (values.camera !== undefined && !isUrl(values.camera) && !existsSync(values.camera))
      throw new Error(`there is no file ${values.camera}; --camera takes a file or a URL like rtsp://HOST/STREAM`);
    return {
      ...(values.camera === undefined ? {} : { camera: values.camera }),
      ...(values.data === undefined ? {} : { data: values.data }),
      agents: wholeNumber('--agents', values.agents, 1, 64),
      httpPort: wholeNumber('--http-port', values['http-port'], 0, 65_535),
      mqttPort: wholeNumber('--mqtt-port', values['mqtt-port'], 0, 65_535),
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(`npm start: ${stripVTControlCharacters(message)}\nAll options: npm start -- --help`);
    process.exitCode = 2;
    return undefined;
  }
}

function isUrl(text: string): boolean {
  return /^[a-z]+:\/\//i.test(text);
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`${name} is a whole number from ${least} to ${most}, not ${text}`);
}
