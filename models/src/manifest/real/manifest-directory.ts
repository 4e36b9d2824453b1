import { join } from 'node:path';

export interface ConfigFolders {
  readonly platform: NodeJS.Platform;
  readonly homeDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Where a user's own manifests lie: where the system keeps what a user has set up, not in the cache, which may be emptied. `$XDG_CONFIG_HOME` on
 * Linux and other Unixes, `~/Library/Application Support` on macOS, `%APPDATA%` on Windows. `SHOAL_MANIFESTS_DIR` overrides all of them.
 */
export function manifestDirectory({ platform, homeDirectory, environment }: ConfigFolders): string {
  const chosen = environment['SHOAL_MANIFESTS_DIR'];
  if (chosen) return chosen;
  switch (platform) {
    case 'darwin':
      return join(homeDirectory, 'Library', 'Application Support', 'shoal', 'manifests');
    case 'win32':
      return join(environment['APPDATA'] ?? join(homeDirectory, 'AppData', 'Roaming'), 'shoal', 'manifests');
    default: {
      // The specification says that a relative path is to be ignored.
      const base = environment['XDG_CONFIG_HOME'];
      return join(base?.startsWith('/') ? base : join(homeDirectory, '.config'), 'shoal', 'manifests');
    }
  }
}
