import { join } from 'node:path';

export interface UserFolders {
  readonly platform: NodeJS.Platform;
  readonly homeDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Where a user's caches belong: the XDG base directory on Linux and other Unixes, `~/Library/Caches` on macOS,
 * `%LOCALAPPDATA%` on Windows. `SHOAL_CACHE_DIR` overrides all of them.
 */
export function defaultCacheDirectory({ platform, homeDirectory, environment }: UserFolders): string {
  const chosen = environment['SHOAL_CACHE_DIR'];
  if (chosen) return chosen;
  switch (platform) {
    case 'darwin':
      return join(homeDirectory, 'Library', 'Caches', 'shoal');
    case 'win32':
      return join(environment['LOCALAPPDATA'] ?? join(homeDirectory, 'AppData', 'Local'), 'shoal', 'Cache');
    default: {
      // The specification says that a relative path is to be ignored.
      const base = environment['XDG_CACHE_HOME'];
      return join(base?.startsWith('/') ? base : join(homeDirectory, '.cache'), 'shoal');
    }
  }
}
