import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Child } from './child.ts';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';

/** Not Debian's wrapper around it, which wants to be root or the user `rabbitmq`. */
const program = await findProgram('/usr/lib/rabbitmq/bin/rabbitmq-server');

/** Whether Debian's `rabbitmq-server` is installed. */
export const hasRabbitMq = program !== undefined;

/** A real RabbitMQ with its MQTT plugin on loopback: a node, data and ports of its own. It takes ten seconds and more to start. */
export class RabbitMq implements AsyncDisposable {
  /** With a login: it lets nobody in without one. */
  readonly url: string;
  readonly #process: Child;
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(url: string, process: Child, environment: NodeJS.ProcessEnv) {
    this.url = url;
    this.#process = process;
    this.#environment = environment;
  }

  static async start(directory: string): Promise<RabbitMq> {
    const [amqp, mqtt, distribution, epmd] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const [configuration, plugins] = [join(directory, 'rabbitmq.conf'), join(directory, 'plugins')];
    await writeFile(plugins, '[rabbitmq_mqtt].\n');
    await writeFile(
      configuration,
      `listeners.tcp.1 = 127.0.0.1:${amqp}\nmqtt.listeners.tcp.1 = 127.0.0.1:${mqtt}\nlog.console = true\nlog.file = false\n`,
    );
    const environment = {
      // Its cookie lies there.
      HOME: directory,
      ERL_EPMD_PORT: String(epmd),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `shoal-${amqp}@localhost`,
      RABBITMQ_DIST_PORT: String(distribution),
      RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
      RABBITMQ_LOG_BASE: join(directory, 'log'),
      RABBITMQ_CONFIG_FILE: configuration,
      RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    };
    const process = new Child(program ?? '', [], { env: environment });
    const server = new RabbitMq(`mqtt://guest:guest@127.0.0.1:${mqtt}`, process, environment);
    try {
      await process.line(/startup complete/, 100_000);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop(20_000);
    // The daemon that maps names of nodes to ports was started along with it, and has a port of its own.
    await promisify(execFile)('epmd', ['-kill'], { env: { ...process.env, ...this.#environment } }).catch(() => {});
  }
}
