import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.ts';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';

const program = await findProgram('mosquitto', '/usr/sbin/mosquitto');

/** Whether Debian's `mosquitto` is installed. */
export async function hasMosquitto(): Promise<boolean> {
  return program !== undefined;
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

  /** @param tls key and certificate, PEM: then it speaks nothing but TLS. */
  static async start(directory: string, tls?: { readonly key: string; readonly cert: string }): Promise<Mosquitto> {
    const port = await freePort();
    const configuration = join(directory, `mosquitto-${port}.conf`);
    const lines = [
      `listener ${port} 127.0.0.1`,
      ...['allow_anonymous true', 'persistence false', 'set_tcp_nodelay true', 'max_queued_messages 0'],
    ];
    for (const [name, text] of Object.entries(tls ?? {})) {
      const path = join(directory, `${name}-${port}.pem`);
      await writeFile(path, text);
      lines.push(`${name}file ${path}`);
    }
    // Without this it becomes another user, who may not read the files of this one.
    await writeFile(configuration, `${lines.join('\n')}\nuser ${userInfo().username}\n`);
    const broker = new Mosquitto(`${tls ? 'mqtts' : 'mqtt'}://127.0.0.1:${port}`, configuration);
    await broker.restart();
    return broker;
  }

  async restart(): Promise<void> {
    this.#process = new Child(program ?? '', ['-c', this.#configuration, '-v']);
    await this.#process.line(/running/);
  }

  async kill(): Promise<void> {
    this.#process?.process.kill('SIGKILL');
    await this.#process?.ended();
  }

  /** It says and hears nothing any more, and nobody is told: its connections stay open. */
  freeze(): void {
    this.#process?.process.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.process.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await this.#process?.stop();
  }
}
