import { type CapabilityInit, canonicalJson, sha256Hex } from '@shoal/protocol';

/** Names the software and hardware that something was measured with: when it changes, it is measured again. */
export function fingerprintOf(capability: CapabilityInit): string {
  const { software, platform, arch, board, cpuModel, cores, cpuFeatures, memoryBytes, accelerators } = capability;
  const parts = { software, platform, arch, board, cpuModel, cores, cpuFeatures, memoryBytes, accelerators };
  return sha256Hex(canonicalJson(parts)).slice(0, 16);
}
