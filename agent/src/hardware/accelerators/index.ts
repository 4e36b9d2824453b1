import type { Accelerator } from '../capability.ts';
import type { SystemReader } from '../system-reader.ts';
import { probeCoral } from './coral.ts';
import { listRenderNodes } from './drm.ts';
import { probeGraphics } from './graphics.ts';
import { probeHailo } from './hailo.ts';
import { probeJetson } from './jetson.ts';
import { probeNpu } from './npu.ts';
import { probeNvidia } from './nvidia.ts';
import { listPci } from './pci.ts';
import { probeVideoDecoders } from './video-decoder.ts';

/** Runs a probe; the caller decides what a probe that throws means. */
export type Attempt = <T>(subject: string, probe: () => Promise<T>, otherwise: T) => Promise<T>;

/** Everything here that can run a model or decode video, in an order that stays the same while the hardware does. */
export async function probeAccelerators(reader: SystemReader, attempt: Attempt): Promise<readonly Accelerator[]> {
  const [pci, nodes] = await Promise.all([
    attempt('PCI devices', () => listPci(reader), []),
    attempt('render nodes', () => listRenderNodes(reader), []),
  ]);
  const jetson = await attempt('Jetson GPU', () => probeJetson(reader), []);
  const found = await Promise.all([
    // On a Jetson nvidia-smi shows the same GPU once more, without its memory.
    jetson.length > 0 ? [] : attempt('NVIDIA GPUs', () => probeNvidia(reader, pci), []),
    attempt('Coral', () => probeCoral(reader, pci), []),
    attempt('Hailo', () => probeHailo(reader, pci), []),
    attempt('NPU', () => probeNpu(reader, nodes), []),
    attempt('graphics', () => probeGraphics(reader, nodes), []),
    attempt('video decoders', () => probeVideoDecoders(reader), []),
  ]);
  return [...jetson, ...found.flat()];
}
