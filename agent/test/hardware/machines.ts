import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { HostFacts, RecordedSystem } from '../../src/hardware/index.ts';

/** The recorded machines of `fixtures/`; each says where its text is from. */
export const machineNames = [
  'raspberry-pi-4',
  'raspberry-pi-4-coral-usb',
  'raspberry-pi-5',
  'raspberry-pi-5-hailo',
  'jetson-nano',
  'jetson-orin-nano',
  'orange-pi-5',
  'laptop-on-battery',
  'desktop-nvidia',
  'phone-termux',
  'container-limited',
] as const;

export type MachineName = (typeof machineNames)[number];

export function machine(name: MachineName): RecordedSystem {
  const text = readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8');
  return JSON.parse(text) as RecordedSystem;
}

/** A machine with these files over another's; `undefined` takes a file away. */
export function changed(
  system: RecordedSystem,
  files: Readonly<Record<string, string | null | undefined>>,
): RecordedSystem {
  const merged = Object.entries({ ...system.files, ...files }).flatMap(([path, text]) =>
    text === undefined ? [] : [[path, text] as const],
  );
  return { ...system, files: Object.fromEntries(merged) };
}

/** A Linux machine that holds these files and nothing else. */
export function aMachine(files: RecordedSystem['files'] = {}, host: Partial<HostFacts> = {}): RecordedSystem {
  const facts = { platform: 'linux', arch: 'arm64', kernel: '6.6.0', cores: 4, memoryBytes: 4 * 2 ** 30 };
  return { about: 'made up for a test', host: { ...facts, ...host }, files };
}

export const never = new AbortController().signal;

/**
 * Any text a machine may hold: bytes of a file (a quarter of them control characters), any UTF-16, broken pairs too, and plain text. (The
 * `binary` strings of fast-check hold a control character in 20,000, and begin with a second of indexing Unicode.)
 */
export function anyText(maxLength: number): fc.Arbitrary<string> {
  const bytes = fc.uint8Array({ maxLength });
  const units = fc.uint8Array({ maxLength: maxLength * 2 });
  return fc.oneof(
    bytes.map((text) => Buffer.from(text).toString('latin1')),
    units.map((text) => Buffer.from(text).toString('utf16le')),
    fc.string({ maxLength }),
  );
}
