import { fields, line, matching } from '../readings.ts';
import type { SystemReader } from '../system-reader.ts';

/** A graphics or compute device that the kernel lends for rendering: `renderD128`. */
export interface RenderNode {
  readonly name: string;
  readonly device: string;
  readonly driver: string;
  /** `8086:9A49` when it is on PCI. */
  readonly pciId?: string | undefined;
  /** `brcm,2712-v3d` when it is named in a device tree. */
  readonly compatible?: string | undefined;
  readonly access: 'usable' | 'forbidden' | 'missing';
}

export async function listRenderNodes(reader: SystemReader): Promise<readonly RenderNode[]> {
  const root = '/sys/class/drm';
  const names = matching(await reader.list(root), /^renderD\d+$/).slice(0, 64);
  const nodes = await Promise.all(
    names.map(async (name): Promise<RenderNode | undefined> => {
      const uevent = fields(await reader.readText(`${root}/${name}/device/uevent`), '=');
      const told = (key: string) => line(uevent.get(key));
      const driver = told('DRIVER');
      if (!driver) return undefined;
      const device = `/dev/dri/${name}`;
      const access = await reader.access(device);
      return { name, device, driver, access, pciId: told('PCI_ID'), compatible: told('OF_COMPATIBLE_0') };
    }),
  );
  return nodes.filter((node) => node !== undefined);
}

/** Whether a device node can be used, and what to do when it cannot. */
export function readiness(
  access: RenderNode['access'],
  device: string,
  group: string,
): { ready: boolean; note?: string } {
  switch (access) {
    case 'usable':
      return { ready: true };
    case 'forbidden':
      return { ready: false, note: `this user may not open ${device}: add it to the group "${group}"` };
    case 'missing':
      return { ready: false, note: `${device} is not there: load the driver, or pass the device into the container` };
  }
}
