import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ShoalError } from '@shoal/protocol';

/**
 * One agent per data folder: two with one key would use the same sequences. SQLite's own lock on a file is let go by the system when the process
 * dies, however it dies.
 */
export class DataFolderLock {
  readonly #file: DatabaseSync;

  private constructor(file: DatabaseSync) {
    this.#file = file;
  }

  /** @throws `conflict` when another agent runs on the folder */
  static take(folder: string): DataFolderLock {
    const file = new DatabaseSync(join(folder, 'lock'));
    try {
      file.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
      return new DataFolderLock(file);
    } catch (cause) {
      file.close();
      throw new ShoalError(
        'conflict',
        `another shoal-agent runs on ${folder}: stop it, or give --data another folder`,
        { folder },
        { cause },
      );
    }
  }

  release(): void {
    if (this.#file.isOpen) this.#file.close();
  }
}
