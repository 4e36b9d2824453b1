import { createSocket, type Socket } from 'node:dgram';
import { type Random, seededRandom } from '@shoal/protocol';

export interface RelayOptions {
  readonly toPort: number;
  /** Port that it listens on. 0: any free one. */
  readonly port?: number;
  /** Share of datagrams that get lost, 0..1, in each direction. */
  readonly loss?: number;
  /** That come twice. */
  readonly doubled?: number;
  /** How long each is on its way, ms. */
  readonly delayMs?: number;
  /** So much longer at most, ms: later ones overtake. */
  readonly jitterMs?: number;
  readonly seed?: number;
}

/** A network between clients and one server on loopback, that can be bad in a way that is the same each time. */
export class UdpRelay {
  readonly port: number;
  lost = 0;
  carried = 0;
  readonly #options: RelayOptions;
  readonly #random: Random;
  readonly #front: Socket;
  /** Towards the server, by client. */
  readonly #backs = new Map<number, Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();

  static async start(options: RelayOptions): Promise<UdpRelay> {
    const front = createSocket('udp4');
    await new Promise<void>((resolve) => front.bind(options.port ?? 0, '127.0.0.1', resolve));
    return new UdpRelay(front, options);
  }

  private constructor(front: Socket, options: RelayOptions) {
    this.port = front.address().port;
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
    this.#front = front;
    front.on('message', (message, { port }) => this.#carry(() => this.#back(port).send(message, options.toPort)));
    front.on('error', () => {});
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const back of this.#backs.values()) back.close();
    this.#backs.clear();
    await new Promise<void>((resolve) => this.#front.close(() => resolve()));
  }

  #back(client: number): Socket {
    const known = this.#backs.get(client);
    if (known) return known;
    const back = createSocket('udp4');
    back.on('message', (message) => this.#carry(() => this.#front.send(message, client)));
    back.on('error', () => {});
    this.#backs.set(client, back);
    return back;
  }

  #carry(deliver: () => void): void {
    const { loss = 0, doubled = 0, delayMs = 0, jitterMs = 0 } = this.#options;
    if (this.#random.next() < loss) {
      this.lost += 1;
      return;
    }
    this.carried += 1;
    const copies = this.#random.next() < doubled ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const onItsWayMs = delayMs + this.#random.next() * jitterMs;
      if (onItsWayMs === 0) {
        deliver();
        continue;
      }
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        deliver();
      }, onItsWayMs);
      this.#timers.add(timer);
    }
  }
}
