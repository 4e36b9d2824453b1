import type { Accelerator } from '../capability.ts';
import { fields, line, matching } from '../readings.ts';
import type { SystemReader } from '../system-reader.ts';
import { type RenderNode, readiness } from './drm.ts';

/** Rockchip's vendor driver registers a render node; mainline drivers (rocket, intel_vpu, amdxdna) use the accel class. */
export async function probeNpu(reader: SystemReader, nodes: readonly RenderNode[]): Promise<readonly Accelerator[]> {
  const vendor = nodes.filter(({ driver }) => driver === 'RKNPU');
  const chip = await rockchip(reader);
  const found = vendor.map((node): Accelerator => {
    const { ready, note } = readiness(node.access, node.device, 'render');
    const model = `Rockchip NPU (${chip ?? 'unknown chip'})`;
    return { kind: 'npu', family: 'rknpu', model, driver: 'rknpu', device: node.device, ready, note };
  });
  return [...found, ...(await probeAccelClass(reader, chip))];
}

/** `rockchip,rk3588` in the device tree. */
async function rockchip(reader: SystemReader): Promise<string | undefined> {
  return /rockchip,(rk\d{4}\w{0,4})/
    .exec((await reader.readText('/proc/device-tree/compatible')) ?? '')?.[1]
    ?.toUpperCase();
}

/** Linux Documentation/accel/introduction.rst: /dev/accel/accel*. */
async function probeAccelClass(reader: SystemReader, chip: string | undefined): Promise<readonly Accelerator[]> {
  const root = '/sys/class/accel';
  const names = matching(await reader.list(root), /^accel\d+$/).slice(0, 64);
  const found = await Promise.all(
    names.map(async (name): Promise<Accelerator | undefined> => {
      const uevent = fields(await reader.readText(`${root}/${name}/device/uevent`), '=');
      const driver = line(uevent.get('DRIVER'));
      if (!driver) return undefined;
      const device = `/dev/accel/${name}`;
      const { ready, note } = readiness(await reader.access(device), device, 'render');
      const family = driver === 'rocket' ? 'rknpu' : 'accel';
      return { kind: 'npu', family, model: modelOf(driver, chip), driver, device, ready, note };
    }),
  );
  return found.filter((accelerator) => accelerator !== undefined);
}

function modelOf(driver: string, chip: string | undefined): string {
  switch (driver) {
    case 'rocket':
      return `Rockchip NPU (${chip ?? 'unknown chip'})`;
    case 'intel_vpu':
      return 'Intel NPU';
    case 'amdxdna':
      return 'AMD XDNA NPU';
    case 'habanalabs':
      return 'Intel Gaudi';
    default:
      return `NPU (${driver})`;
  }
}
