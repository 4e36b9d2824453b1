import { armCoreName } from './arm-cores.ts';
import type { Cpu } from './capability.ts';
import { cpuQuota } from './cgroup.ts';
import { amount, cpuList, fields, line, matching } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

/** Instruction sets that quantized and half-precision kernels choose by (XNNPACK, MLAS, KleidiAI). */
const inferenceFeatures = new Set([
  ...['neon', 'asimd', 'asimdhp', 'asimddp', 'asimdfhm', 'i8mm', 'bf16', 'sve', 'sve2', 'sme', 'vfpv4'],
  ...['sse4_2', 'avx', 'f16c', 'fma', 'avx2', 'avx_vnni', 'avx512f', 'avx512bw', 'avx512vl', 'avx512_vnni'],
  ...['avx512_bf16', 'avx512_fp16', 'amx_tile', 'amx_int8', 'amx_bf16'],
]);

export async function probeCpu(reader: SystemReader): Promise<Cpu> {
  const host = reader.host();
  const [cpuinfo, online, status, quota, maxMhz] = await Promise.all([
    reader.readText('/proc/cpuinfo'),
    reader.readText('/sys/devices/system/cpu/online'),
    reader.readText('/proc/self/status'),
    cpuQuota(reader),
    probeMaxMhz(reader),
  ]);
  const processors = processorsIn(cpuinfo);
  const onlineCpus = cpuList(online);
  const cores = onlineCpus?.size ?? (processors.length || Math.max(1, host.cores));
  return {
    arch: host.arch,
    model: modelOf(processors) ?? line(host.cpuModel),
    cores,
    usableCores: Math.min(cores, allowedCores(status, onlineCpus) ?? cores, quota ?? cores),
    features: featuresOf(processors),
    maxMhz,
  };
}

type Processor = ReadonlyMap<string, string>;

function processorsIn(cpuinfo: string | undefined): readonly Processor[] {
  const blocks = cpuinfo?.split(/\n\s*\n/) ?? [];
  return blocks.map((block) => fields(block, ':')).filter((block) => /^\d+$/.test(block.get('processor') ?? ''));
}

/** x86 names its model; ARM names parts, of which a phone or an RK3588 has several: `4x Cortex-A76 + 4x Cortex-A55`. */
function modelOf(processors: readonly Processor[]): string | undefined {
  const counts = new Map<string, number>();
  for (const processor of processors) {
    const implementer = processor.get('CPU implementer');
    const part = processor.get('CPU part');
    const name = implementer && part ? armCoreName(implementer, part) : line(processor.get('model name'));
    if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const arm = processors.some((processor) => processor.has('CPU part'));
  const names = [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => (arm ? `${count}x ${name}` : name));
  return line(names.join(' + '));
}

/** Only what every core has: a thread that moves to a lesser core must not meet an instruction it lacks. */
function featuresOf(processors: readonly Processor[]): readonly string[] {
  let shared: readonly string[] | undefined;
  for (const processor of processors) {
    const own = new Set((processor.get('flags') ?? processor.get('Features') ?? '').split(/\s+/));
    // On 64-bit ARM "asimd" is NEON (Linux Documentation/arch/arm64/elf_hwcaps.rst).
    if (own.has('asimd')) own.add('neon');
    shared = shared?.filter((feature) => own.has(feature)) ?? [...own];
  }
  return (shared ?? []).filter((feature) => inferenceFeatures.has(feature)).sort();
}

function allowedCores(status: string | undefined, online: ReadonlySet<number> | undefined): number | undefined {
  const allowed = cpuList(fields(status, ':').get('Cpus_allowed_list'));
  // The mask of a container may name more CPUs than are plugged in.
  const present = allowed && online ? [...allowed].filter((cpu) => online.has(cpu)) : [...(allowed ?? [])];
  return present.length > 0 ? present.length : undefined;
}

async function probeMaxMhz(reader: SystemReader): Promise<number | undefined> {
  const folder = '/sys/devices/system/cpu/cpufreq';
  const policies = matching(await reader.list(folder), /^policy\d+$/);
  const texts = await Promise.all(policies.map((policy) => reader.readText(`${folder}/${policy}/cpuinfo_max_freq`)));
  const fastestKhz = Math.max(0, ...texts.map((text) => amount(text) ?? 0));
  return fastestKhz > 0 ? Math.round(fastestKhz / 1000) : undefined;
}
