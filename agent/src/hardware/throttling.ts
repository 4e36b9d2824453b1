import type { ThrottleReason, Throttling } from './capability.ts';
import { amount, hexadecimal, line, matching } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

/** Whether something slows the processors down now: the Raspberry Pi's firmware, and the kernel's cooling devices. */
export async function readThrottling(reader: SystemReader): Promise<Throttling> {
  const [firmware, cooling] = await Promise.all([readFirmware(reader), readCooling(reader)]);
  const reasons = [...(firmware?.reasons ?? []), ...(cooling === true ? (['cooling'] as const) : [])];
  const told = firmware !== undefined || cooling !== undefined;
  return { active: told ? reasons.length > 0 : undefined, reasons, earlier: firmware?.earlier ?? [] };
}

/** Bits of get_throttled (raspberrypi.com/documentation/computers/os.html#get_throttled); the same bits from 16 say "has been". */
const bits: readonly ThrottleReason[] = ['under-voltage', 'frequency-capped', 'throttled', 'temperature-limit'];

function throttleBits(word: number): { reasons: readonly ThrottleReason[]; earlier: readonly ThrottleReason[] } {
  const set = (from: number) => bits.filter((_, bit) => (word & (1 << (bit + from))) !== 0);
  return { reasons: set(0), earlier: set(16) };
}

async function readFirmware(reader: SystemReader) {
  // soc:firmware on a Pi 4, soc@107c000000:firmware on a Pi 5 with a recent kernel; the file holds hexadecimal without 0x.
  const platform = '/sys/devices/platform';
  for (const soc of matching(await reader.list(platform), /^soc(@[0-9a-f]+)?$/)) {
    const word = hexadecimal(await reader.readText(`${platform}/${soc}/${soc}:firmware/get_throttled`));
    if (word !== undefined) return throttleBits(word);
  }
  const tree = await reader.readText('/proc/device-tree/compatible');
  if (!tree?.includes('raspberrypi,')) return undefined;
  const output = await reader.run('vcgencmd', ['get_throttled'], { timeoutMs: 2000 });
  const word = hexadecimal(/^throttled=(0x[0-9a-f]+)/i.exec(output?.stdout ?? '')?.[1]);
  return word === undefined ? undefined : throttleBits(word);
}

/** Processors that the kernel slows, not fans that it speeds up (Linux Documentation/driver-api/thermal/sysfs-api.rst). */
const slowing = /cpufreq|devfreq|^processor$|throttle-alert|^cpu|^gpu|balanced$/i;

async function readCooling(reader: SystemReader): Promise<boolean | undefined> {
  const folder = '/sys/class/thermal';
  const devices = matching(await reader.list(folder), /^cooling_device\d+$/).slice(0, 256);
  const states = await Promise.all(
    devices.map(async (device) => {
      const type = line(await reader.readText(`${folder}/${device}/type`));
      if (type === undefined || !slowing.test(type)) return undefined;
      return amount(await reader.readText(`${folder}/${device}/cur_state`));
    }),
  );
  const known = states.filter((state) => state !== undefined);
  return known.length > 0 ? known.some((state) => state > 0) : undefined;
}
