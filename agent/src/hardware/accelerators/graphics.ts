import type { Accelerator } from '../capability.ts';
import { line } from '../readings.ts';
import type { SystemReader } from '../system-reader.ts';
import { type RenderNode, readiness } from './drm.ts';

/** GPUs behind a render node: VAAPI decoders of Intel and AMD, the Raspberry Pi's V3D, Arm's Mali. */
export async function probeGraphics(
  reader: SystemReader,
  nodes: readonly RenderNode[],
): Promise<readonly Accelerator[]> {
  const found = nodes.flatMap((node) => {
    const { ready, note } = readiness(node.access, node.device, 'render');
    const known = describe(node);
    return known ? [{ ...known, driver: node.driver, device: node.device, ready, note }] : [];
  });
  const mali = found.some(({ family }) => family === 'mali') ? [] : await probeVendorMali(reader);
  return [...found, ...mali];
}

type Known = Pick<Accelerator, 'kind' | 'family' | 'model'>;

function describe({ driver, pciId, compatible }: RenderNode): Known | undefined {
  switch (driver) {
    case 'i915':
    case 'xe':
      return { kind: 'gpu', family: 'vaapi', model: named('Intel graphics', pciId) };
    case 'amdgpu':
    case 'radeon':
      return { kind: 'gpu', family: 'vaapi', model: named('AMD graphics', pciId) };
    case 'v3d':
      return { kind: 'gpu', family: 'v3d', model: videoCore(compatible) };
    case 'panfrost':
    case 'panthor':
    case 'lima':
      return { kind: 'gpu', family: 'mali', model: named('Arm Mali', compatible) };
    default:
      return undefined;
  }
}

function named(name: string, detail: string | undefined): string {
  return detail ? `${name} (${detail})` : name;
}

function videoCore(compatible: string | undefined): string {
  if (compatible?.includes('2712')) return 'VideoCore VII (V3D 7.1)';
  if (compatible?.includes('2711')) return 'VideoCore VI (V3D 4.2)';
  return 'VideoCore (V3D)';
}

/** Arm's own driver makes /dev/mali0 and no render node. */
async function probeVendorMali(reader: SystemReader): Promise<readonly Accelerator[]> {
  const device = '/dev/mali0';
  const access = await reader.access(device);
  if (access === 'missing') return [];
  // gpuinfo: `Mali-G610 4 cores r0p0 0xA867`
  const about = line(await reader.readText('/sys/class/misc/mali0/device/gpuinfo'));
  const model = named('Arm Mali', /^Mali-\S+/.exec(about ?? '')?.[0]);
  const { ready, note } = readiness(access, device, 'video');
  return [{ kind: 'gpu', family: 'mali', model, driver: 'mali', device, ready, note }];
}
