import { chmod, link, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromHex, toHex } from '../../bytes/index.ts';
import { ShoalError } from '../../errors/index.ts';
import type { Random } from '../../runtime/index.ts';
import { type Identity, identityFromSeed, type PeerRole } from '../identity.ts';

const header = 'shoal-ed25519-seed';

/**
 * Reads the identity of this device or coordinator, or makes it on first start. The file is `shoal-ed25519-seed ROLE HEX`, mode 0600. Of several
 * processes that start at once, one makes the key and all use it.
 * @throws `io.failed` when the file is not a key, is somebody else's role, cannot be read or written, or can be read by others and that cannot be
 * mended.
 */
export function loadOrCreateIdentity(path: string, role: PeerRole, random: Random): Promise<Identity> {
  return explained(path, async () => {
    if (!(await exists(path))) await create(path, role, random);
    return load(path, role);
  });
}

/**
 * The key that is to take the place of the one in this file, and stands beside it until its coordinator knows it. Of several that are asked for, the
 * first one is it. Each step is on the disk when it resolves: a power cut leaves the device with a key that its coordinator knows or will take.
 */
export class NextIdentity {
  readonly #path: string;
  readonly #role: PeerRole;

  /** @param path of the key that is used now */
  constructor(path: string, role: PeerRole) {
    this.#path = path;
    this.#role = role;
  }

  /** Makes it unless it is there. @throws `io.failed` */
  prepare(random: Random): Promise<void> {
    return explained(this.#next, () => create(this.#next, this.#role, random));
  }

  /** `undefined`: there is none. @throws `io.failed` */
  load(): Promise<Identity | undefined> {
    return explained(this.#next, async () => ((await exists(this.#next)) ? load(this.#next, this.#role) : undefined));
  }

  /** It is the key from now on, and the one before is gone. @throws `io.failed` */
  adopt(): Promise<void> {
    return explained(this.#next, async () => {
      await rename(this.#next, this.#path);
      await flushDirectory(this.#path);
    });
  }

  /** The coordinator does not take it. @throws `io.failed` */
  drop(): Promise<void> {
    return explained(this.#next, () => rm(this.#next, { force: true }));
  }

  get #next(): string {
    return `${this.#path}.next`;
  }
}

async function explained<T>(path: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (error instanceof ShoalError) throw error;
    const { message } = error as Error;
    throw new ShoalError('io.failed', `cannot use the key file ${path}: ${message}`, { path }, { cause: error });
  }
}

async function load(path: string, role: PeerRole): Promise<Identity> {
  await closeToOthers(path);
  return parse(await readFile(path, 'utf8'), path, role);
}

function parse(content: string, path: string, role: PeerRole): Identity {
  const [word, ownRole, hex = '', ...rest] = content.trim().split(' ');
  const seed = fromHex(hex);
  if (word !== header || ownRole !== role || seed?.length !== 32 || rest.length > 0) {
    const advice = 'move it away to make a new identity';
    throw new ShoalError('io.failed', `${path} is not the key file of a ${role}; ${advice}`, { path });
  }
  return identityFromSeed(role, seed);
}

/** Writes the key beside its place and then links it there: nobody ever sees half of it, and who comes second takes the first one's. */
async function create(path: string, role: PeerRole, random: Random): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${toHex(random.bytes(8))}.tmp`;
  try {
    // A key that was used and then lost with the power would be a device that nobody knows.
    await writeFile(draft, `${header} ${role} ${toHex(random.bytes(32))}\n`, { mode: 0o600, flag: 'wx', flush: true });
    await link(draft, path);
    await flushDirectory(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** What a folder lists is on the disk of its own accord, not with the file. */
async function flushDirectory(path: string): Promise<void> {
  // A folder cannot be opened there.
  if (process.platform === 'win32') return;
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    },
  );
}

async function closeToOthers(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) await chmod(path, 0o600);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
