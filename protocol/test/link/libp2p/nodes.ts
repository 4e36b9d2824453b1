import { type Identity, newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { type FrameStream, Libp2pNode, type Libp2pNodeOptions } from '@shoal/protocol/libp2p';
import { systemClock } from '@shoal/protocol/real';

const random = seededRandom(7);

export const coordinator = newIdentity('coordinator', random);
export const loopback = { host: '127.0.0.1', port: 0 };
export const aDevice = (): Identity => newIdentity('device', random);

/** Nodes of one test. */
export class Nodes {
  readonly #nodes: Libp2pNode[] = [];

  async start(identity: Identity, options: Partial<Libp2pNodeOptions> = {}): Promise<Libp2pNode> {
    const common = {
      coordinator: coordinator.publicKey,
      clock: systemClock,
      logger: silentLogger,
      mdns: false,
    } as const;
    const node = new Libp2pNode({ ...common, identity, ...options });
    this.#nodes.push(node);
    await node.start(new AbortController().signal);
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.splice(0).map((node) => node.stop()));
  }
}

export function targetOf(server: Libp2pNode): { publicKey: Uint8Array; addresses: readonly string[] } {
  return { publicKey: server.publicKey, addresses: server.addresses };
}

/** Sends back what comes. */
export function echo(stream: FrameStream): void {
  stream.listen({ onFrame: (frame) => void stream.send(frame).catch(() => {}), onEnd: () => {} });
}

/** One frame there and one back. Rejects when the stream ends before. */
export function ask(stream: FrameStream, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    stream.listen({ onFrame: (frame) => resolve(Buffer.from(frame).toString()), onEnd: reject });
    stream.send(Buffer.from(text)).catch(reject);
  });
}

/** Looks again after each turn of the event loop: the library says nothing when this becomes so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
