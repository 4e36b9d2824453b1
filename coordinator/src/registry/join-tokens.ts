import {
  type Clock,
  encodeJoinToken,
  type Hello,
  type Identity,
  isTokenProof,
  newId,
  type PeerId,
  type Random,
  ShoalError,
} from '@shoal/protocol';
import type { TokenRecord, Tokens, TokenView } from '../domain/index.ts';
import type { Store } from '../store/index.ts';
import { checkLabels } from './labels.ts';

const secretLength = 16;
const mostTokens = 10_000;
const mostUses = 100_000;
const longestLifetimeMs = 10 * 365 * 86_400_000;

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly identity: Identity;
  readonly store: Pick<Store, 'commit'>;
  readonly addresses: () => readonly string[];
  /** Whether devices that join are told to seal what they say. */
  readonly seal: boolean;
}

/** The tokens with which devices may join. */
export class JoinTokens implements Tokens {
  readonly #deps: Deps;
  readonly #records = new Map<string, TokenRecord>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  load(records: readonly TokenRecord[]): void {
    for (const record of records) this.#records.set(record.id, record);
  }

  async create(options: {
    readonly uses: number;
    readonly lifetimeMs: number;
    readonly labels: { readonly [name: string]: string };
    readonly approve?: boolean;
  }): Promise<{ readonly id: string; readonly word: string; readonly expiresAtMs: number }> {
    const { uses, lifetimeMs, labels, approve = false } = options;
    checkRange('uses', uses, mostUses);
    checkRange('lifetimeMs', lifetimeMs, longestLifetimeMs);
    checkLabels(labels);
    const { clock, random, identity, store, addresses, seal } = this.#deps;
    await this.#removeSpent();
    if (this.#records.size >= mostTokens)
      throw new ShoalError('queue.full', `there are ${mostTokens} tokens: revoke some`);
    const createdAtMs = clock.nowMs();
    const record: TokenRecord = {
      id: newId('tok', createdAtMs, random),
      secret: random.bytes(secretLength),
      createdAtMs,
      expiresAtMs: createdAtMs + lifetimeMs,
      usesLeft: uses,
      approve,
      labels,
    };
    await store.commit([{ kind: 'token', token: record }]);
    this.#records.set(record.id, record);
    const { id, secret, expiresAtMs } = record;
    return {
      id,
      expiresAtMs,
      word: encodeJoinToken({ addresses: addresses(), coordinator: identity, tokenId: id, secret, seal }),
    };
  }

  list(): readonly TokenView[] {
    return [...this.#records.values()].map(({ secret: _, ...view }) => view);
  }

  async revoke(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (!record) throw new ShoalError('not-found', `there is no token ${id}`);
    // At once: a device that joined with it while this is written would write it again.
    this.#records.delete(id);
    try {
      await this.#deps.store.commit([{ kind: 'token-removed', id }]);
    } catch (error) {
      this.#records.set(id, record);
      throw error;
    }
  }

  /**
   * Takes one use off the token that the device shows. Give it back when the device could not be recorded.
   * @throws `token.refused` with why.
   */
  spend(hello: Pick<Hello, 'tokenId' | 'tokenProof'>, device: PeerId): TokenRecord {
    const record = this.#records.get(hello.tokenId);
    // Whether a token is known is said only to who holds it.
    if (!record || !isTokenProof(hello.tokenProof, record.secret, device)) {
      throw new ShoalError('token.refused', 'the token is not known here, or was revoked: make a new one');
    }
    if (record.expiresAtMs <= this.#deps.clock.nowMs()) {
      throw new ShoalError('token.refused', 'the token has expired: make a new one', { token: record.id });
    }
    if (record.usesLeft < 1) {
      throw new ShoalError('token.refused', 'the token is used up: make a new one', { token: record.id });
    }
    const spent = { ...record, usesLeft: record.usesLeft - 1 };
    this.#records.set(record.id, spent);
    return spent;
  }

  giveBack(token: TokenRecord): void {
    const record = this.#records.get(token.id);
    if (record) this.#records.set(record.id, { ...record, usesLeft: record.usesLeft + 1 });
  }

  async #removeSpent(): Promise<void> {
    const longAgoMs = this.#deps.clock.nowMs() - 86_400_000;
    const spent = [...this.#records.values()].filter(
      ({ expiresAtMs, usesLeft, createdAtMs }) =>
        expiresAtMs < longAgoMs || (usesLeft === 0 && createdAtMs < longAgoMs),
    );
    if (spent.length === 0) return;
    await this.#deps.store.commit(spent.map(({ id }) => ({ kind: 'token-removed', id })));
    for (const { id } of spent) this.#records.delete(id);
  }
}

function checkRange(field: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new ShoalError('input.invalid', `${field}: a whole number from 1 to ${most}`, { field });
}
