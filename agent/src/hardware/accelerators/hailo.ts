import type { Accelerator } from '../capability.ts';
import { matching } from '../readings.ts';
import type { SystemReader } from '../system-reader.ts';
import { readiness } from './drm.ts';
import type { PciDevice } from './pci.ts';

/** The 8 and the 8L answer with the same PCI id (both are 1e60:2864); only the firmware tells them apart. */
const models: Readonly<Record<number, string>> = {
  10340: 'Hailo-8 or Hailo-8L',
  17860: 'Hailo-10H or Hailo-15',
  17314: 'Hailo-10',
};

export async function probeHailo(reader: SystemReader, pci: readonly PciDevice[]): Promise<readonly Accelerator[]> {
  const cards = pci.filter(({ vendor }) => vendor === 0x1e60);
  const nodes = matching(await reader.list('/dev'), /^hailo\d+$/);
  if (cards.length === 0 && nodes.length === 0) return [];
  const named = nodes.length > 0 ? await askFirmware(reader) : undefined;
  const count = Math.max(cards.length, nodes.length);
  return Promise.all(
    Array.from({ length: count }, async (_, index): Promise<Accelerator> => {
      const card = cards[index];
      const model = named ?? (card && models[card.device]) ?? 'Hailo';
      const device = `/dev/${nodes[index] ?? `hailo${index}`}`;
      const { ready, note } = readiness(await reader.access(device), device, 'hailo');
      return { kind: 'npu', family: 'hailo', model, driver: 'hailo_pci', device, ready, note };
    }),
  );
}

async function askFirmware(reader: SystemReader): Promise<string | undefined> {
  const output = await reader.run('hailortcli', ['fw-control', 'identify'], { timeoutMs: 5000 });
  const architecture = /^Device Architecture:\s*HAILO-?(\w{1,12})/im.exec(output?.stdout ?? '')?.[1];
  return architecture ? `Hailo-${architecture.toUpperCase()}` : undefined;
}
