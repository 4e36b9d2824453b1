import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.ts';

const root = join(import.meta.dirname, '../..');
export const coordinatorBin = join(root, 'coordinator/bin/shoal.js');
export const agentBin = join(root, 'agent/bin/shoal-agent.js');

export interface FleetOptions {
  readonly agents: number;
  /** Node options for the children, for example a preload that watches their event loop. */
  readonly nodeArgs?: readonly string[];
  /** What the tokens of the agents name, and nothing else: a link beside MQTT. */
  readonly address?: string;
  /** A broker of its own, `mqtt://host:port`, instead of the one in the coordinator. */
  readonly broker?: string;
  /** What is run instead of the programs of this repository: command and first arguments. */
  readonly programs?: Programs;
  /** Arguments for the coordinator behind those that it is given here. */
  readonly coordinatorArgs?: readonly string[];
  /** Added to the environment of the agents. */
  readonly agentEnv?: NodeJS.ProcessEnv;
}

export interface Programs {
  readonly coordinator: readonly string[];
  readonly agent: readonly string[];
}

/** A real coordinator process and real agent processes in a throw-away folder. */
export class Fleet implements AsyncDisposable {
  readonly directory: string;
  readonly agents: Child[] = [];
  readonly #programs: Programs;
  readonly #agentEnv: NodeJS.ProcessEnv;
  readonly #broker: string | undefined;
  readonly #coordinatorArgs: readonly string[];
  readonly #address: string | undefined;
  #coordinator: Child | undefined;
  #httpPort = 0;
  #mqttPort = 0;

  private constructor(directory: string, options: FleetOptions) {
    this.directory = directory;
    const node = [process.execPath, ...(options.nodeArgs ?? [])];
    this.#programs = options.programs ?? { coordinator: [...node, coordinatorBin], agent: [...node, agentBin] };
    this.#agentEnv = options.agentEnv ?? {};
    this.#broker = options.broker;
    this.#coordinatorArgs = options.coordinatorArgs ?? [];
    this.#address = options.address;
  }

  static async start(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(await mkdtemp(join(tmpdir(), 'shoal-fleet-')), options);
    try {
      await fleet.#startCoordinator();
      for (let number = 0; number < options.agents; number++) await fleet.addAgent();
      await fleet.untilOnline(options.agents);
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
    return fleet;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#httpPort}`;
  }

  /** Of the broker in the coordinator. */
  get mqttPort(): number {
    return this.#mqttPort;
  }

  get coordinator(): Child {
    if (!this.#coordinator) throw new Error('the coordinator is not started');
    return this.#coordinator;
  }

  async addAgent(): Promise<Child> {
    const data = join(this.directory, `agent-${this.agents.length}`);
    const token = await this.createToken();
    const [command = '', ...args] = this.#programs.agent;
    const agent = new Child(command, [...args, 'join', token, '--data', data], { env: this.#agentEnv });
    this.agents.push(agent);
    return agent;
  }

  /** Starts the coordinator again on the same ports and data, after it ended or was killed. */
  async restartCoordinator(): Promise<void> {
    await this.coordinator.ended();
    await this.#startCoordinator();
  }

  async #startCoordinator(): Promise<void> {
    const [command = '', ...args] = this.#programs.coordinator;
    this.#coordinator = new Child(command, [
      ...args,
      'coordinator',
      ...['--data', join(this.directory, 'coordinator'), '--insecure-loopback'],
      ...['--http-port', String(this.#httpPort)],
      ...(this.#broker
        ? ['--mqtt-url', this.#broker]
        : ['--mqtt-host', '127.0.0.1', '--mqtt-port', String(this.#mqttPort)]),
      ...this.#coordinatorArgs,
      ...(this.#address ? ['--address', this.#address] : []),
    ]);
    this.#httpPort = Number((await this.#coordinator.line(/http:\/\/[^:/]+:(\d+)/))[1]);
    if (this.#broker || this.#address) return;
    const [, scheme, port] = await this.#coordinator.line(/(mqtts?):\/\/[^:/]+:(\d+)/);
    if (scheme === 'mqtt') this.#mqttPort = Number(port);
  }

  async createToken(uses = 1): Promise<string> {
    const created = await this.json<{ word: string }>('POST', '/v1/tokens', { uses });
    return created.word;
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async untilOnline(count: number): Promise<void> {
    const deadlineMs = performance.now() + 60_000;
    for (;;) {
      const { items } = await this.json<{ items: { presence: string }[] }>('GET', '/v1/devices');
      if (items.filter(({ presence }) => presence === 'online').length >= count) return;
      if (performance.now() > deadlineMs)
        throw new Error(`the agents did not join:\n${this.agents.map((agent) => agent.output).join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Resolves when the devices have measured what they hold: no profile was added for a while. A benchmark begins then. */
  async untilMeasured(): Promise<void> {
    const quietMs = 5_000;
    let known = -1;
    let sinceMs = performance.now();
    while (performance.now() - sinceMs < quietMs) {
      const { items } = await this.json<{ items: { profiles: unknown[] }[] }>('GET', '/v1/devices');
      const profiles = items.reduce((sum, device) => sum + device.profiles.length, 0);
      if (profiles !== known) sinceMs = performance.now();
      known = profiles;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.agents) await agent.stop();
    await this.#coordinator?.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
