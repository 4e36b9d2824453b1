import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { CoapClient } from 'node-coap-client';

/** libcoap's example server on loopback, which lets clients make resources of their own. */
export class LibcoapServer {
  readonly #child: ChildProcess;

  static async start(port: number): Promise<LibcoapServer> {
    const child = spawn('coap-server-notls', ['-A', '127.0.0.1', '-p', String(port), '-d', '10'], { stdio: 'ignore' });
    while (!(await CoapClient.ping(`coap://127.0.0.1:${port}`, 100)));
    CoapClient.reset();
    return new LibcoapServer(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
