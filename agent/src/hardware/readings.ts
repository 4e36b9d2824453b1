/** How the kernel writes things down, and what is believed of it. Everything here answers `undefined` to nonsense. */

/** A decimal number and nothing else, as most files of /sys hold. Hexadecimal is for {@link hexadecimal}. */
export function decimal(text: string | undefined): number | undefined {
  const trimmed = text?.trim();
  if (trimmed === undefined || !/^-?\d{1,19}(\.\d{1,12})?$/.test(trimmed)) return undefined;
  return Number(trimmed);
}

/** A number that counts or measures something: zero or more. */
export function amount(text: string | undefined): number | undefined {
  const value = decimal(text);
  return value !== undefined && value >= 0 ? value : undefined;
}

/** `0x50005`, `50005`. */
export function hexadecimal(text: string | undefined): number | undefined {
  const trimmed = text?.trim();
  if (trimmed === undefined || !/^(0x)?[0-9a-f]{1,8}$/i.test(trimmed)) return undefined;
  return Number.parseInt(trimmed, 16);
}

/** One short line for a person; device-tree strings end with a NUL, DMI strings with blanks. */
export function line(text: string | undefined): string | undefined {
  const cleaned = text?.replace(/[\p{Cc}\s\ufffd]+/gu, ' ').trim();
  return cleaned ? cleaned.slice(0, 120) : undefined;
}

/** `KEY=value` lines (uevent, os-release) or `key : value` lines (cpuinfo, meminfo, status); the first of a name counts. */
export function fields(text: string | undefined, separator: '=' | ':'): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const row of text?.split('\n') ?? []) {
    const at = row.indexOf(separator);
    if (at <= 0) continue;
    const name = row.slice(0, at).trim();
    if (!found.has(name)) found.set(name, row.slice(at + 1).trim());
  }
  return found;
}

/** A kernel list of CPUs, `0-3,6`: the numbers in it. A range that no machine has is not believed. */
export function cpuList(text: string | undefined): ReadonlySet<number> | undefined {
  const found = new Set<number>();
  for (const part of text?.trim().split(',') ?? []) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    if (!match) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last > 8191) return undefined;
    for (let cpu = first; cpu <= last; cpu++) found.add(cpu);
  }
  return found.size > 0 ? found : undefined;
}

/** A temperature that silicon, a board or a battery can have; sensors that are off read -256 or 0x7fff. */
export function plausibleCelsius(celsius: number | undefined): number | undefined {
  if (celsius === undefined || !Number.isFinite(celsius) || celsius < -40 || celsius > 150) return undefined;
  return Math.round(celsius * 10) / 10;
}

/** 0..100; a full battery that says a little over 100 is full, anything else outside is nonsense. */
export function percent(value: number | undefined): number | undefined {
  if (value === undefined || !Number.isFinite(value) || value < 0 || value > 105) return undefined;
  return Math.min(100, value);
}

/** Names in a folder that have this shape, in the order a person counts: `hwmon2` before `hwmon10`. */
export function matching(names: readonly string[], shape: RegExp): readonly string[] {
  return names.filter((name) => shape.test(name)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
