import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from './child.ts';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';

/** Debian puts servers into /usr/sbin, which is not on everybody's path. */
const program = await findProgram('nats-server', '/usr/sbin/nats-server');

/** Whether Debian's `nats-server` is installed. */
export const hasNats = program !== undefined;

/** A real NATS server with its MQTT gateway on loopback, that can be ended and started again on the same port. */
export class Nats implements AsyncDisposable {
  readonly url: string;
  readonly #configuration: string;
  #process: Child | undefined;

  private constructor(url: string, configuration: string) {
    this.url = url;
    this.#configuration = configuration;
  }

  static async start(directory: string): Promise<Nats> {
    const [port, mqttPort] = [await freePort(), await freePort()];
    const configuration = join(directory, `nats-${port}.conf`);
    // The gateway keeps sessions and retained messages in JetStream. As it comes it takes payloads of a megabyte, with what stands before them.
    await writeFile(
      configuration,
      `listen: "127.0.0.1:${port}"
server_name: "shoal-test-${port}"
max_payload: 2097152
jetstream { store_dir: ${JSON.stringify(join(directory, `nats-${port}`))} }
mqtt { listen: "127.0.0.1:${mqttPort}" }
`,
    );
    const server = new Nats(`mqtt://127.0.0.1:${mqttPort}`, configuration);
    await server.restart();
    return server;
  }

  async restart(): Promise<void> {
    this.#process = new Child(program ?? '', ['-c', this.#configuration]);
    await this.#process.line(/Server is ready/);
  }

  async kill(): Promise<void> {
    this.#process?.process.kill('SIGKILL');
    await this.#process?.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.stop();
  }
}
