import type { Board, BoardKind } from './capability.ts';
import { line } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

export async function probeBoard(reader: SystemReader): Promise<Board> {
  if (await isPhone(reader)) return { kind: 'phone', model: await phoneModel(reader) };
  const [model, compatible, release] = await Promise.all([
    deviceTree(reader, 'model'),
    deviceTree(reader, 'compatible'),
    reader.readText('/etc/nv_tegra_release'),
  ]);
  const firmware = linuxForTegra(release);
  if (/raspberrypi,/.test(compatible ?? '') || /^raspberry pi/i.test(model ?? '')) {
    return { kind: 'raspberry-pi', model: line(model) };
  }
  if (/nvidia,(tegra|p\d)/.test(compatible ?? '') || /jetson/i.test(model ?? '') || firmware) {
    return { kind: 'jetson', model: line(model), firmware };
  }
  if (model !== undefined) return { kind: 'board', model: line(model) };
  return computer(reader);
}

/** Termux: Android's Node says so; a Linux in proot under it still sees Termux's own folder. */
export async function isPhone(reader: SystemReader): Promise<boolean> {
  return reader.host().platform === 'android' || (await reader.access('/data/data/com.termux')) !== 'missing';
}

async function phoneModel(reader: SystemReader): Promise<string | undefined> {
  const names = await Promise.all(
    ['ro.product.manufacturer', 'ro.product.model'].map(async (property) =>
      line((await reader.run('getprop', [property], { timeoutMs: 2000 }))?.stdout),
    ),
  );
  return line(names.join(' '));
}

/** A property is a list of strings that each end with a NUL. /proc/device-tree is a link that containers may lack. */
async function deviceTree(reader: SystemReader, property: string): Promise<string | undefined> {
  return (
    (await reader.readText(`/proc/device-tree/${property}`)) ??
    (await reader.readText(`/sys/firmware/devicetree/base/${property}`))
  );
}

/** `# R36 (release), REVISION: 4.3, GCID: ...` is Linux for Tegra 36.4.3. */
function linuxForTegra(release: string | undefined): string | undefined {
  const match = /^# R(\d{1,4}) \(release\), REVISION: ([\d.]{1,12})/.exec(release ?? '');
  return match ? `L4T ${match[1]}.${match[2]}` : undefined;
}

async function computer(reader: SystemReader): Promise<Board> {
  const [vendor, product, chassis, cpuinfo] = await Promise.all([
    reader.readText('/sys/class/dmi/id/sys_vendor'),
    reader.readText('/sys/class/dmi/id/product_name'),
    reader.readText('/sys/class/dmi/id/chassis_type'),
    reader.readText('/proc/cpuinfo'),
  ]);
  const model = line([vendor, product].map(filledIn).filter(Boolean).join(' '));
  if (/^flags\s*:.*\bhypervisor\b/m.test(cpuinfo ?? '')) return { kind: 'vm', model };
  return { kind: chassisKind(chassis, model), model };
}

/** What makers leave in when they have nothing to say. */
function filledIn(text: string | undefined): string | undefined {
  const value = line(text);
  return value && !/to be filled|system (manufacturer|product name)|default string|^o\.e\.m/i.test(value)
    ? value
    : undefined;
}

/** SMBIOS reference specification, 7.4.1: 8 portable, 9 laptop, 10 notebook, 14 sub-notebook, 30 tablet, 31 convertible, 32 detachable. */
function chassisKind(chassis: string | undefined, model: string | undefined): BoardKind {
  const type = chassis?.trim() ?? '';
  if (['8', '9', '10', '14', '30', '31', '32'].includes(type)) return 'laptop';
  return type !== '' || model !== undefined ? 'pc' : 'unknown';
}
