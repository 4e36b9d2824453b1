import type { Accelerator } from '../capability.ts';
import { line, matching } from '../readings.ts';
import type { SystemReader } from '../system-reader.ts';
import { readiness } from './drm.ts';

/** Decoders that boards offer as V4L2 memory-to-memory devices: the Pi 4's H.264, the Pi 5's HEVC, Rockchip's, Allwinner's. */
export async function probeVideoDecoders(reader: SystemReader): Promise<readonly Accelerator[]> {
  const root = '/sys/class/video4linux';
  const names = matching(await reader.list(root), /^video\d+$/).slice(0, 64);
  const found = await Promise.all(
    names.map(async (name): Promise<Accelerator | undefined> => {
      const model = line(await reader.readText(`${root}/${name}/name`));
      if (!model || !decoder.test(model)) return undefined;
      const device = `/dev/${name}`;
      const { ready, note } = readiness(await reader.access(device), device, 'video');
      return { kind: 'video', family: 'v4l2', model, device, ready, note };
    }),
  );
  return found.filter((accelerator) => accelerator !== undefined);
}

const decoder = /codec-decode|(^|[-_ ])(vpu-)?dec(oder)?$|rkvdec|hevc[-_]?dec|cedrus/i;
