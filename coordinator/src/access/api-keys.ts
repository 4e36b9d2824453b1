import { timingSafeEqual } from 'node:crypto';
import { type Clock, newId, type Random, ShoalError, sha256, toBase64Url } from '@shoal/protocol';
import type { ApiKeys, ApiKeyView } from '../domain/index.ts';
import type { ApiKeyRecord, Change, Store } from '../store/index.ts';

/** 256 random bits, so that a fast hash is enough to keep a key by. */
const keyLength = 32;
const prefix = 'shoal_';
const mostKeys = 1_000;
const longestNameChars = 64;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Pick<Store, 'commit'>;
}

/** The keys with which programs call the REST API. Only the SHA-256 of each is kept. */
export class ApiKeyRing implements ApiKeys {
  readonly #deps: Deps;
  readonly #records = new Map<string, ApiKeyRecord>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  load(records: readonly ApiKeyRecord[]): void {
    for (const record of records) this.#records.set(record.id, record);
  }

  async create(name: string, camera?: string): Promise<ApiKeyView & { readonly key: string }> {
    if (name.length === 0 || name.length > longestNameChars) {
      throw new ShoalError('input.invalid', `name: 1 to ${longestNameChars} characters`, { field: 'name' });
    }
    if (this.#records.size >= mostKeys)
      throw new ShoalError('queue.full', `there are ${mostKeys} API keys: revoke some`);
    const { clock, random, store } = this.#deps;
    const key = prefix + toBase64Url(random.bytes(keyLength));
    const createdAtMs = clock.nowMs();
    const id = newId('key', createdAtMs, random);
    const record = { id, name, sha256: sha256(key), createdAtMs, ...(camera !== undefined && { camera }) };
    await store.commit([{ kind: 'api-key', apiKey: record }]);
    this.#records.set(record.id, record);
    return { ...view(record), key };
  }

  verify(key: string): ApiKeyView | undefined {
    const found = this.#find(key);
    return found?.camera === undefined ? found : undefined;
  }

  mayPush(key: string, camera: string): boolean {
    const found = this.#find(key);
    return found !== undefined && (found.camera ?? camera) === camera;
  }

  #find(key: string): ApiKeyView | undefined {
    const digest = sha256(key);
    let found: ApiKeyRecord | undefined;
    // Every key is compared, each in constant time: how long it takes says nothing about any of them.
    for (const record of this.#records.values()) {
      if (record.sha256.length === digest.length && timingSafeEqual(record.sha256, digest)) found = record;
    }
    return found && view(found);
  }

  /** The keys of a camera that is removed go with it: what is to be written, and what to do once it is. */
  goingWith(camera: string): { readonly changes: readonly Change[]; forget(): void } {
    const ids = [...this.#records.values()].filter((record) => record.camera === camera).map(({ id }) => id);
    return {
      changes: ids.map((id) => ({ kind: 'api-key-removed', id })),
      forget: () => {
        for (const id of ids) this.#records.delete(id);
      },
    };
  }

  list(): readonly ApiKeyView[] {
    return [...this.#records.values()].map(view);
  }

  async revoke(id: string): Promise<void> {
    if (!this.#records.has(id)) throw new ShoalError('not-found', `there is no API key ${id}`);
    await this.#deps.store.commit([{ kind: 'api-key-removed', id }]);
    this.#records.delete(id);
  }
}

function view({ id, name, createdAtMs, camera }: ApiKeyRecord): ApiKeyView {
  return { id, name, createdAtMs, ...(camera !== undefined && { camera }) };
}
