import type { Accelerator } from '../capability.ts';
import { amount, matching } from '../readings.ts';
import type { SystemReader } from '../system-reader.ts';
import { readiness } from './drm.ts';
import type { PciDevice } from './pci.ts';

/** A Coral stick names itself 1a6e:089a until its firmware is loaded by the first program that uses it, then 18d1:9302. */
const usbIds = new Set(['1a6e:089a', '18d1:9302']);

export async function probeCoral(reader: SystemReader, pci: readonly PciDevice[]): Promise<readonly Accelerator[]> {
  const [usb, apex] = await Promise.all([probeUsb(reader), probeApex(reader)]);
  const onPci = pci.filter(({ vendor, device }) => vendor === 0x1ac1 && device === 0x089a);
  const withoutDriver = onPci.slice(apex.length).map(
    ({ address }): Accelerator => ({
      kind: 'tpu',
      family: 'coral',
      model: `Coral Edge TPU (PCIe at ${address})`,
      ready: false,
      note: 'its driver is not loaded: install gasket-dkms, which makes /dev/apex_0',
    }),
  );
  return [...usb, ...apex, ...withoutDriver];
}

async function probeUsb(reader: SystemReader): Promise<readonly Accelerator[]> {
  const root = '/sys/bus/usb/devices';
  const names = (await reader.list(root)).slice(0, 256);
  const found = await Promise.all(
    names.map(async (name): Promise<Accelerator | undefined> => {
      const read = async (file: string) => (await reader.readText(`${root}/${name}/${file}`))?.trim();
      if (!usbIds.has(`${await read('idVendor')}:${await read('idProduct')}`)) return undefined;
      const [bus, number, speed] = await Promise.all([read('busnum'), read('devnum'), read('speed')]);
      const device = usbNode(amount(bus), amount(number));
      const { ready, note } = device ? readiness(await reader.access(device), device, 'plugdev') : noNode;
      // 480 Mbit/s is USB 2: the transfer of pictures then takes longer than the inference.
      const slow = speed === '480' ? 'on a USB 2 port, which makes it slow: use a USB 3 port' : undefined;
      return { kind: 'tpu', family: 'coral', model: 'Coral Edge TPU (USB)', device, ready, note: note ?? slow };
    }),
  );
  return found.filter((accelerator) => accelerator !== undefined);
}

const noNode = { ready: false, note: 'the system does not tell at which USB address it is' };

/** A bus has at most 127 devices (USB 2.0 §4.1.1). */
function usbNode(bus: number | undefined, device: number | undefined): string | undefined {
  if (bus === undefined || device === undefined || bus > 999 || device > 127) return undefined;
  return `/dev/bus/usb/${String(bus).padStart(3, '0')}/${String(device).padStart(3, '0')}`;
}

async function probeApex(reader: SystemReader): Promise<readonly Accelerator[]> {
  const nodes = matching(await reader.list('/dev'), /^apex_\d+$/);
  return Promise.all(
    nodes.map(async (name): Promise<Accelerator> => {
      const device = `/dev/${name}`;
      const { ready, note } = readiness(await reader.access(device), device, 'apex');
      return { kind: 'tpu', family: 'coral', model: 'Coral Edge TPU (PCIe)', driver: 'apex', device, ready, note };
    }),
  );
}
