import type { Client } from 'aedes';

export interface CameraSenderOptions {
  /** First levels of every topic. */
  readonly prefix: string;
  /** Whether pictures of the camera may be sent with this key. */
  readonly mayPush: (key: string, camera: string) => boolean;
  /** Hands the picture on. @throws when nobody can take it */
  readonly push: (camera: string, picture: Uint8Array) => void;
}

interface Sender {
  readonly camera: string;
  readonly key: string;
}

/** Longer than any key is. */
const longestKey = 256;

/**
 * Cameras that publish their pictures: `<prefix>/cameras/<camera id>/push`, with the encoded picture as payload, and nothing else. The user name is the camera's id, the
 * password a key that was made for it, which is good for nothing else and may be seen on the way.
 */
export class CameraSenders {
  readonly #options: CameraSenderOptions;
  readonly #senders = new WeakMap<Client, Sender>();

  constructor(options: CameraSenderOptions) {
    this.#options = options;
  }

  isName(username: string | undefined): username is string {
    return username !== undefined && /^cam_[0-9a-z]{1,64}$/.test(username);
  }

  /** Why this one is not let in; `undefined`: it is, from now on. */
  whyNot(client: Client, camera: string, key: string): string | undefined {
    // Another client id might be that of a device, whose place it would take.
    if (client.id !== camera) return 'the client id must be the id of the camera, as the user name';
    if (key.length > longestKey || !this.#options.mayPush(key, camera)) return 'the password is no key of this camera';
    this.#senders.set(client, { camera, key });
    return undefined;
  }

  has(client: Client): boolean {
    return this.#senders.has(client);
  }

  /** Takes what it publishes. Returns why that is not allowed, if it is not: its key may have been revoked since. */
  take(client: Client, topic: string, payload: Uint8Array): string | undefined {
    const { prefix, mayPush, push } = this.#options;
    const { camera = '', key = '' } = this.#senders.get(client) ?? {};
    const own = `${prefix}/cameras/${camera}/push`;
    if (topic !== own) return `a camera publishes on ${own} only`;
    if (!mayPush(key, camera)) return 'the key is no key of this camera any more';
    push(camera, payload);
    return undefined;
  }
}
