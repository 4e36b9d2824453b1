import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Child } from './child.ts';

/** Whether Debian's `mosquitto` is installed. */
export async function hasMosquitto(): Promise<boolean> {
  const probe = spawn('mosquitto', ['-h'], { stdio: 'ignore' });
  return new Promise((resolve) => {
    probe.on('error', () => resolve(false));
    probe.on('exit', () => resolve(true));
  });
}

/** A real Mosquitto on loopback that can be ended and started again on the same port. */
export class Mosquitto implements AsyncDisposable {
  readonly url: string;
  readonly #configuration: string;
  #process: Child | undefined;

  private constructor(url: string, configuration: string) {
    this.url = url;
    this.#configuration = configuration;
  }

  static async start(directory: string): Promise<Mosquitto> {
    const port = await freePort();
    const configuration = join(directory, `mosquitto-${port}.conf`);
    await writeFile(configuration, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
    const broker = new Mosquitto(`mqtt://127.0.0.1:${port}`, configuration);
    await broker.restart();
    return broker;
  }

  async restart(): Promise<void> {
    this.#process = new Child('mosquitto', ['-c', this.#configuration, '-v']);
    await this.#process.line(/running/);
  }

  async kill(): Promise<void> {
    this.#process?.process.kill('SIGKILL');
    await this.#process?.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.stop();
  }
}

/** A port of loopback that nobody listens to right now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
