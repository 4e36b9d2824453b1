import type { CommandOutput, HostFacts, SystemReader } from './system-reader.ts';

/**
 * A machine written down: what its files held and its programs printed. The tests and the simulator probe it with the same
 * code as the real one.
 */
export interface RecordedSystem {
  /** Which machine, and where the text is from. */
  readonly about: string;
  readonly host: HostFacts;
  /** Path to text. `null`: it is there and may not be read (EACCES, EAGAIN). Device nodes hold an empty text. */
  readonly files: Readonly<Record<string, string | null>>;
  /** Command line to what it prints, or how it fails: it never ends (until aborted), or its time runs out. */
  readonly commands?: Readonly<Record<string, RecordedCommand>>;
  readonly disks?: Readonly<Record<string, { readonly totalBytes: number; readonly freeBytes: number }>>;
}

export type RecordedCommand = CommandOutput | 'hangs' | 'times out';

/** A reader over a recording. `asked` counts what was asked for, so that a test can see what a reading costs. */
export function recordedSystemReader(system: RecordedSystem): SystemReader & { readonly asked: AskedCounts } {
  const files = new Map(Object.entries(system.files));
  const folders = foldersOf(files.keys());
  const asked: AskedCounts = { files: 0, folders: 0, commands: 0 };
  return {
    asked,
    host: () => system.host,
    async readText(path) {
      asked.files++;
      return files.get(path) ?? undefined;
    },
    async list(folder) {
      asked.folders++;
      return [...(folders.get(folder) ?? [])].sort();
    },
    async access(path) {
      const text = files.get(path);
      if (text === null) return 'forbidden';
      return text !== undefined || folders.has(path) ? 'usable' : 'missing';
    },
    async diskSpace(path) {
      return system.disks?.[path];
    },
    async run(command, args, { signal }) {
      asked.commands++;
      const recorded = system.commands?.[[command, ...args].join(' ')];
      if (recorded === 'hangs') {
        await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
        return undefined;
      }
      return recorded === 'times out' ? undefined : recorded;
    },
  };
}

export interface AskedCounts {
  files: number;
  folders: number;
  commands: number;
}

function foldersOf(paths: Iterable<string>): ReadonlyMap<string, ReadonlySet<string>> {
  const folders = new Map<string, Set<string>>();
  for (const path of paths) {
    const parts = path.split('/');
    for (let depth = parts.length - 1; depth >= 1; depth--) {
      const folder = parts.slice(0, depth).join('/') || '/';
      const name = parts[depth];
      const names = folders.get(folder) ?? new Set();
      if (name) names.add(name);
      folders.set(folder, names);
    }
  }
  return folders;
}
