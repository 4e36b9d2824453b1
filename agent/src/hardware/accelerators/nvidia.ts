import type { Accelerator } from '../capability.ts';
import { amount, fields, line } from '../readings.ts';
import type { SystemReader } from '../system-reader.ts';
import type { PciDevice } from './pci.ts';

const driverFolder = '/proc/driver/nvidia';

/** Discrete NVIDIA GPUs. nvidia-smi is asked only where the driver is loaded; without it the driver's own files name the GPU. */
export async function probeNvidia(reader: SystemReader, pci: readonly PciDevice[]): Promise<readonly Accelerator[]> {
  const driver = driverVersion(await reader.readText(`${driverFolder}/version`));
  const asked = driver !== undefined || reader.host().platform === 'win32';
  const told = asked ? await askNvidiaSmi(reader) : [];
  if (told.length > 0) return told;
  if (driver !== undefined) return readDriver(reader, driver);
  return pci
    .filter(({ vendor, baseClass }) => vendor === 0x10de && baseClass === 0x03)
    .map(({ address }) => ({
      kind: 'gpu',
      family: 'cuda',
      model: `NVIDIA GPU at ${address}`,
      ready: false,
      note: "NVIDIA's driver is not loaded: install it to use this GPU",
    }));
}

async function askNvidiaSmi(reader: SystemReader): Promise<readonly Accelerator[]> {
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader,nounits'];
  const output = await reader.run('nvidia-smi', query, { timeoutMs: 5000 });
  if (output?.code !== 0) return [];
  return output.stdout.split('\n').flatMap((row, index): Accelerator[] => {
    const cells = row.split(',').map((cell) => cell.trim());
    const model = line(cells[0]);
    const memoryMiB = amount(cells[1]);
    if (model === undefined || cells.length < 3) return [];
    return [
      {
        kind: 'gpu',
        family: 'cuda',
        model,
        driver: `nvidia ${line(cells[2])}`,
        device: `/dev/nvidia${index}`,
        memoryBytes: memoryMiB === undefined ? undefined : memoryMiB * 2 ** 20,
        ready: true,
      },
    ];
  });
}

async function readDriver(reader: SystemReader, version: string): Promise<readonly Accelerator[]> {
  const addresses = (await reader.list(`${driverFolder}/gpus`)).slice(0, 64);
  return Promise.all(
    addresses.map(async (address): Promise<Accelerator> => {
      const about = fields(await reader.readText(`${driverFolder}/gpus/${address}/information`), ':');
      const minor = amount(about.get('Device Minor')) ?? 0;
      const device = `/dev/nvidia${minor}`;
      const usable = (await reader.access(device)) === 'usable';
      return {
        kind: 'gpu',
        family: 'cuda',
        model: line(about.get('Model')) ?? 'NVIDIA GPU',
        driver: `nvidia ${version}`,
        device,
        ready: usable,
        note: usable ? undefined : `${device} cannot be opened: pass the GPU into the container`,
      };
    }),
  );
}

/** `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 ...`, or `Open Kernel Module for x86_64  555.58`. */
function driverVersion(text: string | undefined): string | undefined {
  return /^NVRM version:.*?\s(\d{1,6}\.\d{1,6}(?:\.\d{1,6})?)\s/m.exec(text ?? '')?.[1];
}
