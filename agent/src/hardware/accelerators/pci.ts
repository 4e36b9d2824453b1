import { hexadecimal } from '../readings.ts';
import type { SystemReader } from '../system-reader.ts';

export interface PciDevice {
  readonly address: string;
  readonly vendor: number;
  readonly device: number;
  /** Base class: 0x03 is a display controller, 0x12 an accelerator (PCI Code and ID Assignment Specification §1). */
  readonly baseClass?: number | undefined;
}

const root = '/sys/bus/pci/devices';

/** A server has a few hundred; more are not read. */
const maxDevices = 1024;

/** What sits on PCI, from the vendor's ids; needs no lspci. */
export async function listPci(reader: SystemReader): Promise<readonly PciDevice[]> {
  const addresses = (await reader.list(root)).slice(0, maxDevices);
  const devices = await Promise.all(
    addresses.map(async (address) => {
      const read = async (file: string) => hexadecimal(await reader.readText(`${root}/${address}/${file}`));
      const [vendor, device, classCode] = await Promise.all([read('vendor'), read('device'), read('class')]);
      return { address, vendor, device, baseClass: classCode === undefined ? undefined : classCode >> 16 };
    }),
  );
  return devices.flatMap(({ address, vendor, device, baseClass }) =>
    vendor === undefined || device === undefined ? [] : [{ address, vendor, device, baseClass }],
  );
}
