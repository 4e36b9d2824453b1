import { type Clock, type Random, toBase64Url } from '@shoal/protocol';
import type { FastifyRequest } from 'fastify';

/** Browsers that are signed in, at most: the one that was silent longest is signed out. */
const mostSessions = 200;
/** A session ends after this long without a request, ms, and after this long in any case. */
const idleMs = 12 * 3_600_000;
export const longestMs = 30 * 24 * 3_600_000;
const idBytes = 24;
const cookieName = 'shoal_session';

interface Session {
  /** Whose API key opened it. */
  readonly owner: string;
  readonly startedMs: number;
  usedMs: number;
}

/**
 * Browsers that showed an API key once. Each holds a random id in a cookie that no script can read; the key itself is kept nowhere. They end with
 * the coordinator.
 */
export class Sessions {
  readonly #clock: Clock;
  readonly #random: Random;
  /** The one used last stands last. */
  readonly #sessions = new Map<string, Session>();

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** @returns the value of `Set-Cookie` */
  open(owner: string): string {
    const id = toBase64Url(this.#random.bytes(idBytes));
    const nowMs = this.#clock.monotonicMs();
    this.#sessions.set(id, { owner, startedMs: nowMs, usedMs: nowMs });
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > mostSessions && oldest !== undefined) this.#sessions.delete(oldest);
    return `${cookieName}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${longestMs / 1000}`;
  }

  /** Whose key opened the session that the request belongs to; `undefined` without a session that is still good. */
  ownerOf(request: FastifyRequest): string | undefined {
    const id = idIn(request);
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (id === undefined || session === undefined) return undefined;
    const nowMs = this.#clock.monotonicMs();
    this.#sessions.delete(id);
    if (nowMs - session.usedMs > idleMs || nowMs - session.startedMs > longestMs) return undefined;
    session.usedMs = nowMs;
    this.#sessions.set(id, session);
    return session.owner;
  }

  /** @returns the value of `Set-Cookie` */
  close(request: FastifyRequest): string {
    this.#sessions.delete(idIn(request) ?? '');
    return `${cookieName}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;
  }
}

function idIn({ headers }: FastifyRequest): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === cookieName)?.[1];
}
