import type { CoapResource, Observer, ServedAnswer } from '@shoal/protocol/coap';

/** Bytes that can be put, got and observed: the simplest resource that uses everything a server has. */
export class BlobResource implements CoapResource {
  readonly maxBodyBytes: number;
  readonly bodies: Buffer[] = [];
  readonly #observers = new Set<Observer>();
  readonly #observed = Promise.withResolvers<void>();
  #bytes: Buffer = Buffer.alloc(0);

  constructor(maxBodyBytes = 2 << 20) {
    this.maxBodyBytes = maxBodyBytes;
  }

  /** Resolves when somebody observes. */
  get observed(): Promise<void> {
    return this.#observed.promise;
  }

  serve: CoapResource['serve'] = ({ method, body }) => {
    if (method === 'GET') return this.#now();
    if (method !== 'PUT') return { code: '4.05' };
    void this.set(body);
    return { code: '2.04' };
  };

  observe: NonNullable<CoapResource['observe']> = (_request, accept) => {
    this.#observers.add(accept(this.#now()));
    this.#observed.resolve();
  };

  /** Resolves when those who observe have acknowledged it. */
  async set(body: Buffer): Promise<void> {
    this.#bytes = body;
    this.bodies.push(body);
    const notified = [...this.#observers].map(async (observer) => {
      const isAcknowledged = await observer.notify({ code: '2.05', payload: body.subarray(0, 1024) });
      if (!isAcknowledged) this.#observers.delete(observer);
    });
    await Promise.all(notified);
  }

  #now(): ServedAnswer {
    return { code: '2.05', body: this.#bytes, etag: this.bodies.length.toString(36) };
  }
}
