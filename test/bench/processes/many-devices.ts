// A process of the benchmark `connections`: joins so many devices, each with a link and a messenger of its own, and keeps them as an agent does: telemetry is
// a request, a coordinator that was away is greeted again. Answers the IPC message `state`.
import {
  backoffMs,
  decodeJoinToken,
  delay,
  expectReply,
  Messenger,
  newIdentity,
  proveToken,
  silentLogger,
  type Welcome,
} from '@shoal/protocol';
import { createMqttDeviceLink } from '@shoal/protocol/mqtt';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import { MemorySequenceStore } from '@shoal/protocol/testing';

const [word = '', url = '', count = '0'] = process.argv.slice(2);
const token = decodeJoinToken(word);
const { coordinator } = token;
const never = new AbortController().signal;
/** As the agent's membership has it. */
const helloTimeoutMs = 15_000;
const helloTimeoutMaxMs = 60_000;
const backoff = { firstMs: 500, maxMs: 30_000, factor: 2 };
const jitter = 0.1;
/** Devices of this process that join at the same time, at the start. */
const lanes = 50;

const state = { joined: 0, connected: 0, connections: 0, hellos: 0, heartbeats: 0 };

class Device {
  readonly #identity = newIdentity('device', systemRandom);
  readonly #messenger: Messenger;
  readonly #link;
  #again = new AbortController();
  #isJoined = false;

  constructor() {
    const common = { identity: this.#identity, clock: systemClock, logger: silentLogger };
    this.#link = createMqttDeviceLink({ ...common, url, coordinator: coordinator.id });
    this.#countHellos();
    const peers = { keyOf: (id: string) => (id === coordinator.id ? coordinator : undefined) };
    this.#messenger = new Messenger({ ...common, link: this.#link, peers, sequences: new MemorySequenceStore() });
    this.#link.subscribe({ onFrame: () => {}, onPeer: (_peer, reachable) => this.#reachable(reachable) });
  }

  /** What leaves before it has joined is a hello: each copy of one counts. */
  #countHellos(): void {
    const send = this.#link.send.bind(this.#link);
    this.#link.send = async (...sent) => {
      await send(...sent);
      if (!this.#isJoined) state.hellos += 1;
    };
  }

  /** Resolves when it has joined for the first time. */
  async start(): Promise<void> {
    await this.#messenger.start(never);
    await this.#link.start(never);
    const first = await this.#join();
    void this.#live(first);
  }

  #reachable(reachable: boolean): void {
    state.connected += reachable ? 1 : -1;
    if (reachable) state.connections += 1;
    else this.#away();
  }

  #away(): void {
    if (this.#isJoined) state.joined -= 1;
    this.#isJoined = false;
    this.#again.abort();
  }

  async #live(first: Welcome): Promise<void> {
    for (let welcome = first; ; welcome = await this.#join()) await this.#report(welcome);
  }

  async #join(): Promise<Welcome> {
    for (let failures = 0; ; failures++) {
      try {
        const timeoutMs = Math.min(helloTimeoutMaxMs, helloTimeoutMs * 2 ** failures);
        const tokenProof = proveToken(token.secret, this.#identity.id);
        const hello = { hello: { tokenId: token.tokenId, tokenProof, capability: { hostName: 'bench', cores: 4 } } };
        const reply = await this.#messenger.request(coordinator.id, hello, { timeoutMs });
        this.#again = new AbortController();
        this.#isJoined = true;
        state.joined += 1;
        return expectReply(reply, 'welcome');
      } catch {
        await delay(systemClock, 'hello', backoffMs(failures, backoff, systemRandom), never);
      }
    }
  }

  /** Until the coordinator is lost. The first heartbeat comes at any time of the first interval. */
  async #report({ telemetryIntervalMs, livenessTimeoutMs }: Welcome): Promise<void> {
    const { signal } = this.#again;
    try {
      for (let waitMs = telemetryIntervalMs * systemRandom.next(); ; ) {
        await delay(systemClock, 'telemetry', waitMs, signal);
        await this.#messenger.request(
          coordinator.id,
          { telemetry: { cpuLoad: 0.1, memoryAvailableBytes: 1e9 } },
          { timeoutMs: livenessTimeoutMs, resendMaxMs: livenessTimeoutMs / 10, signal },
        );
        state.heartbeats += 1;
        waitMs = telemetryIntervalMs * (1 - jitter + 2 * jitter * systemRandom.next());
      }
    } catch {
      this.#away();
    }
  }
}

process.on('message', () => process.send?.(state));
process.on('SIGTERM', () => process.exit(0));
let left = Number(count);
const lane = async () => {
  while (left-- > 0) await new Device().start();
};
await Promise.all(Array.from({ length: lanes }, lane));
