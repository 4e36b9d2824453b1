import type { Accelerator } from '../capability.ts';
import type { SystemReader } from '../system-reader.ts';

/** Where the integrated GPU shows itself: JetPack 4 and 5 by the link, JetPack 6 below its bus. */
const places = [
  '/sys/devices/gpu.0',
  '/sys/devices/platform/gpu.0',
  '/sys/devices/platform/bus@0/17000000.gpu',
  '/sys/devices/17000000.ga10b',
  '/sys/devices/57000000.gpu',
];

/** Tegra by its entry in the device tree, and the GPU and deep-learning cores that chip has. */
const chips: readonly { readonly tree: string; readonly gpu: string }[] = [
  { tree: 'nvidia,tegra264', gpu: 'Jetson Blackwell GPU (Thor)' },
  { tree: 'nvidia,tegra234', gpu: 'Jetson Ampere GPU (Orin)' },
  { tree: 'nvidia,tegra23x', gpu: 'Jetson Ampere GPU (Orin)' },
  { tree: 'nvidia,tegra194', gpu: 'Jetson Volta GPU (Xavier)' },
  { tree: 'nvidia,tegra186', gpu: 'Jetson Pascal GPU (TX2)' },
  { tree: 'nvidia,tegra210', gpu: 'Jetson Maxwell GPU (Nano, TX1)' },
];

/** The GPU of a Jetson, which shares the machine's memory and of which nvidia-smi knows little or nothing. */
export async function probeJetson(reader: SystemReader): Promise<readonly Accelerator[]> {
  const compatible = (await reader.readText('/proc/device-tree/compatible')) ?? '';
  const chip = chips.find(({ tree }) => compatible.includes(tree));
  const release = await reader.readText('/etc/nv_tegra_release');
  if (!chip && release === undefined) return [];
  const seen = await Promise.all(places.map((place) => reader.access(place)));
  const present = seen.some((access) => access !== 'missing');
  return [
    {
      kind: 'gpu',
      family: 'jetson',
      model: chip?.gpu ?? 'Jetson GPU',
      driver: 'nvgpu',
      ready: present,
      note: present ? undefined : 'the GPU is not visible: in a container, start it with the NVIDIA runtime',
    },
  ];
}
