import { amount } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

/*
 * What a container or a systemd unit may use. A limit of any ancestor binds, so the whole path is walked. In a container the
 * path that /proc/self/cgroup names may not exist below the mount (another cgroup namespace); its own cgroup is then the mount
 * itself, which is why the walk always ends there (Linux Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/).
 */

/** Bytes this process may use, if anything limits it. */
export async function memoryLimitBytes(reader: SystemReader): Promise<number | undefined> {
  const limits = await Promise.all(
    (await foldersOf(reader, 'memory')).map(async ({ version, folder }) =>
      amount(await reader.readText(`${folder}/${version === 2 ? 'memory.max' : 'memory.limit_in_bytes'}`)),
    ),
  );
  return least(limits.filter((limit) => limit !== undefined && limit < unlimitedBytes));
}

/** What of the limit is left, with page cache that can be given up counted as free. */
export async function memoryLeftBytes(reader: SystemReader): Promise<number | undefined> {
  const left = await Promise.all(
    (await foldersOf(reader, 'memory')).map(async ({ version, folder }) => {
      const [limitFile, usedFile, cacheName] =
        version === 2
          ? ['memory.max', 'memory.current', 'inactive_file']
          : ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file'];
      const limit = amount(await reader.readText(`${folder}/${limitFile}`));
      if (limit === undefined || limit >= unlimitedBytes) return undefined;
      const [used, stat] = await Promise.all([
        reader.readText(`${folder}/${usedFile}`),
        reader.readText(`${folder}/memory.stat`),
      ]);
      const cache = amount(new RegExp(`^${cacheName} (\\d+)$`, 'm').exec(stat ?? '')?.[1]) ?? 0;
      return Math.max(0, limit - Math.max(0, (amount(used) ?? 0) - cache));
    }),
  );
  return least(left);
}

/** CPUs' worth of time per period, `1.5`, if anything limits it. */
export async function cpuQuota(reader: SystemReader): Promise<number | undefined> {
  const quotas = await Promise.all(
    (await foldersOf(reader, 'cpu')).map(async ({ version, folder }) => {
      if (version === 2) {
        const [quota, period] = (await reader.readText(`${folder}/cpu.max`))?.trim().split(' ') ?? [];
        return ratio(amount(quota), amount(period));
      }
      const [quota, period] = await Promise.all([
        reader.readText(`${folder}/cpu.cfs_quota_us`),
        reader.readText(`${folder}/cpu.cfs_period_us`),
      ]);
      return ratio(amount(quota), amount(period));
    }),
  );
  return least(quotas);
}

/** Version 1 writes "no limit" as the largest page-aligned number. */
const unlimitedBytes = 2 ** 60;

interface CgroupFolder {
  readonly version: 1 | 2;
  readonly folder: string;
}

async function foldersOf(reader: SystemReader, controller: 'memory' | 'cpu'): Promise<readonly CgroupFolder[]> {
  const rows = (await reader.readText('/proc/self/cgroup'))?.split('\n') ?? [];
  const parsed = rows.map((row) => /^\d+:([^:]*):(\/.*)$/.exec(row.trim()));
  const own = parsed.find((row) => row?.[1]?.split(',').includes(controller));
  if (own) return ancestors(`/sys/fs/cgroup/${controller}`, own[2]).map((folder) => ({ version: 1, folder }));
  const unified = parsed.find((row) => row?.[1] === '');
  return unified ? ancestors('/sys/fs/cgroup', unified[2]).map((folder) => ({ version: 2, folder })) : [];
}

/** Deeper than any real tree; a path that is longer is cut, not walked for ever. */
const maxDepth = 32;

function ancestors(mount: string, path = '/'): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  const found: string[] = [];
  for (let depth = Math.min(parts.length, maxDepth); depth >= 0; depth--) {
    found.push([mount, ...parts.slice(0, depth)].join('/'));
  }
  return found;
}

function ratio(quota: number | undefined, period: number | undefined): number | undefined {
  return quota && period ? quota / period : undefined;
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}
