import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createLogger, type Identity, isShoalError, type Logger, ServiceGroup, ShoalError } from '@shoal/protocol';
import { consoleLogSink, loadOrCreateIdentity } from '@shoal/protocol/real';
import type { Listening, TlsIdentity } from '../../broker/index.ts';
import {
  createFetchInput,
  createHttpServer,
  type HttpServer,
  keyCheck,
  newLocalKey,
  readPage,
} from '../../http/index.ts';
import { createMetrics } from '../../metrics/index.ts';
import { announce, defaultDataDirectory, runningIn } from '../client/index.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Paint, paintFor } from '../output/index.ts';
import { version } from '../version.ts';
import type { World } from '../world.ts';
import { addressesOf, brokerAddresses } from './addresses.ts';
import type { BrokerChoice, CoordinatorOptions, ListenChoice } from './options.ts';

/** How many ports after the wanted one `--port-search` tries. */
const portsSearched = 50;
const fetchTimeoutMs = 30_000;

/** Runs until it is told to end; then lets work finish. */
export async function runCoordinator(options: CoordinatorOptions, world: World): Promise<ExitCode> {
  const logger = createLogger(consoleLogSink(options.logFormat), options.logLevel);
  const dataDirectory = resolve(options.data ?? defaultDataDirectory());
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  await refuseSecond(dataDirectory);
  const identity = await loadOrCreateIdentity(join(dataDirectory, 'coordinator.key'), 'coordinator', world.random);
  const localKey = newLocalKey(world.random);

  const portSearch = options.portSearch ? portsSearched : 0;
  const uploadLimitBytes = options.uploadLimitMb * 1_000_000;
  const { clock, random } = world;
  const broker = await brokerChoice(options, portSearch);
  const { coapHost, coapPort, libp2pHost, libp2pPort } = options;
  const coap = listenChoice('coap', coapHost, coapPort, options);
  const libp2p = listenChoice('libp2p', libp2pHost, libp2pPort, options);
  const { strategy, weights, seal } = options;
  const limits = { deviceLimit: options.deviceLimit, telemetryIntervalMs: options.heartbeat * 1000 };
  const announced = options.announce ?? process.env['SHOAL_ANNOUNCE'];
  const request = {
    ...limits,
    ...(announced && { announce: { url: announced, frigate: options.announceFrigate ?? false } }),
    dataDirectory,
    allowPrivateUrls: options.allowPrivateUrls ?? false,
    broker,
    coap,
    libp2p,
    uploadLimitBytes,
    seal,
    strategy,
    weights,
    identity,
    clock,
    random,
    logger,
  };
  const { coordinator, services, mqttUrls } = await world.openCoordinator(request);
  const http = await createHttpServer(
    {
      coordinator,
      keys: keyCheck(coordinator.apiKeys, localKey),
      metrics: createMetrics(coordinator, version),
      clock,
      random,
      logger,
      page: readPage(),
      fetchInput: createFetchInput({
        allowPrivateAddresses: options.allowPrivateUrls ?? false,
        limitBytes: uploadLimitBytes,
        timeoutMs: fetchTimeoutMs,
      }),
    },
    {
      host: options.httpHost,
      port: options.httpPort,
      portSearch,
      insecureLoopback: options.insecureLoopback ?? false,
      uploadLimitBytes,
      version,
    },
  );
  const group = new ServiceGroup({ clock: world.clock, logger }, [...services, http], { name: 'coordinator' });
  await group.start(world.interrupted).catch((error: unknown) => {
    throw withPortAdvice(error);
  });
  const firstKey =
    coordinator.apiKeys.list().length === 0 ? await coordinator.apiKeys.create('first start') : undefined;
  const retract = await announce({
    pid: process.pid,
    version,
    startedAt: new Date(world.clock.nowMs()).toISOString(),
    url: http.url,
    mqttUrls: mqttUrls(),
    dataDirectory,
    key: localKey,
  });
  sayWhere({ options, http, mqttUrls: mqttUrls(), dataDirectory, identity, apiKey: firstKey?.key }, world);
  await untilAborted(world.interrupted);
  await end(group, retract, logger);
  return exitCodes.ok;
}

async function brokerChoice(options: CoordinatorOptions, portSearch: number): Promise<BrokerChoice> {
  const { mqttUrl, mqttHost: host, mqttPort: port, mqttsPort: mqtts, wsPort: ws, wssPort: wss, address } = options;
  const also = {
    ...(mqtts !== undefined && { mqtts }),
    ...(ws !== undefined && { ws }),
    ...(wss !== undefined && { wss }),
  };
  const tls = await readTls(options);
  // Devices are told the address without the coordinator's own login to the broker.
  if (mqttUrl !== undefined) {
    return { kind: 'external', url: mqttUrl, addresses: address ?? [mqttUrl.replace(/\/\/[^@/]*@/, '//')] };
  }
  const addresses = (listening: readonly Listening[]) => address ?? brokerAddresses(host, listening);
  return { kind: 'embedded', host, port, portSearch, also, tls, addresses };
}

async function readTls({ tlsCert, tlsKey }: CoordinatorOptions): Promise<TlsIdentity | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new ShoalError('input.invalid', '--tls-cert and --tls-key belong together', { field: 'tls' });
  }
  const [cert, key] = await Promise.all([readFile(tlsCert), readFile(tlsKey)]);
  return { cert, key };
}

function listenChoice(
  kind: 'coap' | 'libp2p',
  host: string,
  port: number | undefined,
  { address }: CoordinatorOptions,
): ListenChoice | undefined {
  if (port === undefined) return undefined;
  // What was told names every kind of address already.
  const addresses = (found: number) => (address ? [] : addressesOf(kind, host, found));
  return { host, port, addresses };
}

/** A port that is taken, with the options that help: the services know nothing of a command line. */
function withPortAdvice(error: unknown): unknown {
  if (!isShoalError(error, 'conflict') || error.facts['port'] === undefined || error.message.includes('--'))
    return error;
  const { kind = 'mqtt' } = error.facts;
  // Whoever names one of the others has told somebody that it is there.
  const orSearch = kind === 'mqtt' ? ', or --port-search to take the next free one' : '';
  const advice = `On the command line: --${kind}-port N${orSearch}`;
  return new ShoalError('conflict', `${error.message}. ${advice}`, error.facts, { cause: error });
}

async function refuseSecond(dataDirectory: string): Promise<void> {
  const other = await runningIn(dataDirectory);
  if (!other) return;
  throw new ShoalError(
    'conflict',
    `a coordinator runs already with its data in ${dataDirectory} (process ${other.pid}, ${other.url}). Stop it, or give this one another folder: --data DIR`,
    { pid: other.pid, url: other.url },
  );
}

async function end(group: ServiceGroup, retract: () => Promise<void>, logger: Logger): Promise<void> {
  logger.info('stopping: work in hand is being finished');
  await retract();
  // Each member has its own time limit; nothing else cuts the draining short but a second signal, which ends the process.
  await group.drain(new AbortController().signal);
  await group.stop();
}

interface Where {
  readonly options: CoordinatorOptions;
  readonly http: HttpServer;
  readonly mqttUrls: readonly string[];
  readonly dataDirectory: string;
  readonly identity: Identity;
  readonly apiKey: string | undefined;
}

function sayWhere({ options, http, mqttUrls, dataDirectory, identity, apiKey }: Where, world: World): void {
  if (options.json) {
    const where = { url: http.url, mqttUrls, dataDirectory, coordinator: identity.id, pid: process.pid };
    world.stdout.write(`${JSON.stringify(apiKey === undefined ? where : { ...where, apiKey })}\n`);
    return;
  }
  const paint = paintFor(world.stdout, world.env);
  const moved = options.httpPort !== 0 && !http.url.endsWith(`:${options.httpPort}`);
  const lines = [
    `${paint('bold', `Shoal ${version}`)}  ${paint('dim', identity.id)}`,
    row(paint, 'page', `${http.url}${moved ? `  (port ${options.httpPort} is taken)` : ''}`),
    row(paint, 'REST API', `${http.url}/docs`),
    row(paint, 'devices', mqttUrls.join('  ')),
    row(paint, 'data', dataDirectory),
    ...(apiKey === undefined ? [] : [row(paint, 'API key', `${paint('yellow', apiKey)}  shown this once: keep it`)]),
    '',
    'Let a device join: shoal token create, then on the device: shoal-agent join TOKEN',
  ];
  world.stdout.write(`${lines.join('\n')}\n`);
}

function row(paint: Paint, name: string, value: string): string {
  return `  ${paint('dim', name.padEnd(9))} ${value}`;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
