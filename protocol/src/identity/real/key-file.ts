import { chmod, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
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
export async function loadOrCreateIdentity(path: string, role: PeerRole, random: Random): Promise<Identity> {
  try {
    if (!(await exists(path))) await create(path, role, random);
    await closeToOthers(path);
    return parse(await readFile(path, 'utf8'), path, role);
  } catch (error) {
    if (error instanceof ShoalError) throw error;
    const { message } = error as Error;
    throw new ShoalError('io.failed', `cannot use the key file ${path}: ${message}`, { path }, { cause: error });
  }
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
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
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
