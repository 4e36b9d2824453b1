/**
 * What a device has (DESIGN §2): slow to change, probed at start and after a person asks for it again. A field that is
 * `undefined` could not be read, and `unknown` says so in words; nothing here is guessed, negative or NaN.
 */
export interface Capability {
  readonly os: OperatingSystem;
  readonly board: Board;
  readonly container?: ContainerKind | undefined;
  readonly cpu: Cpu;
  readonly memory: Memory;
  readonly disk?: Disk | undefined;
  readonly accelerators: readonly Accelerator[];
  readonly power: Power;
  readonly sensors: readonly TemperatureSensor[];
  /** Where the energy of work can be measured. Empty on most machines. */
  readonly rails: readonly EnergyRail[];
  /** What was looked for and could not be read, one short sentence each. */
  readonly unknown: readonly string[];
}

export interface OperatingSystem {
  /** As Node names it: `linux`, `android`, `darwin`, `win32`. */
  readonly platform: string;
  /** For a person: `Debian GNU/Linux 12 (bookworm)`, `Android 14`. */
  readonly name?: string | undefined;
  readonly kernel: string;
}

export type BoardKind = 'raspberry-pi' | 'jetson' | 'phone' | 'laptop' | 'pc' | 'vm' | 'board' | 'unknown';

export interface Board {
  readonly kind: BoardKind;
  /** As the maker names it: `Raspberry Pi 5 Model B Rev 1.0`. */
  readonly model?: string | undefined;
  /** The vendor's base software when it decides which accelerator libraries fit: `L4T 36.4.3`. */
  readonly firmware?: string | undefined;
}

export type ContainerKind = 'docker' | 'podman' | 'kubernetes' | 'lxc' | 'other';

export interface Cpu {
  /** As Node names it: `arm64`, `arm`, `x64`. */
  readonly arch: string;
  readonly model?: string | undefined;
  /** Logical processors that are online. */
  readonly cores: number;
  /** How many of them this process may use at once: affinity and cgroup quota. May be a fraction, never over `cores`. */
  readonly usableCores: number;
  /** Instruction sets that decide how fast a quantized model runs, sorted, in the kernel's words; 64-bit ARM also says `neon`. */
  readonly features: readonly string[];
  readonly maxMhz?: number | undefined;
}

export interface Memory {
  /** What the machine has. */
  readonly totalBytes: number;
  /** What this process may use: the least of the machine and every cgroup above it. */
  readonly usableBytes: number;
}

export interface Disk {
  readonly totalBytes: number;
  /** Free for a user who is not root. */
  readonly freeBytes: number;
}

export type AcceleratorKind = 'gpu' | 'npu' | 'tpu' | 'video';

export type AcceleratorFamily =
  | 'cuda'
  | 'jetson'
  | 'coral'
  | 'hailo'
  | 'vaapi'
  | 'mali'
  | 'v3d'
  | 'rknpu'
  | 'accel'
  | 'v4l2';

export interface Accelerator {
  readonly kind: AcceleratorKind;
  /** What software reaches it by; a model format and an engine are chosen from this. */
  readonly family: AcceleratorFamily;
  readonly model: string;
  readonly driver?: string | undefined;
  /** Device node to open, `/dev/hailo0`. */
  readonly device?: string | undefined;
  /** Its own memory; absent when it shares the machine's. */
  readonly memoryBytes?: number | undefined;
  /** Whether its driver and device node are there for this process. Not a promise that an engine can use it. */
  readonly ready: boolean;
  /** When it is not ready: what to do about it. */
  readonly note?: string | undefined;
}

export type PowerSource = 'mains' | 'battery' | 'unknown';

export interface Power {
  readonly source: PowerSource;
  readonly hasBattery: boolean;
  /** Energy of a full battery. */
  readonly capacityMj?: number | undefined;
}

export interface TemperatureSensor {
  readonly name: string;
  /** The kernel begins to slow the machine here (trip points `passive` and `hot`). */
  readonly throttlesAtC?: number | undefined;
  /** The kernel switches the machine off here. */
  readonly criticalAtC?: number | undefined;
}

export type RailSource = 'ina3221' | 'rapl' | 'pi5-pmic' | 'nvidia-smi' | 'battery';

export interface EnergyRail {
  readonly name: string;
  readonly source: RailSource;
  /** `board` is all the device draws, `part` is one consumer of several, `inside` is already counted by another rail. */
  readonly scope: 'board' | 'part' | 'inside';
  /** Where to read it; what it means depends on `source`. */
  readonly path: string;
  /** A counter starts from zero again after this much energy. */
  readonly wrapsAtMj?: number | undefined;
}

/** What changes by the second (DESIGN §2), as far as the hardware tells it. Cheap to read; never NaN, never negative. */
export interface HardwareTelemetry {
  readonly powerSource: PowerSource;
  readonly battery?: Battery | undefined;
  /** The hottest sensor that sits on a processor; any sensor when none does. */
  readonly temperatureC?: number | undefined;
  readonly temperatures: readonly Temperature[];
  readonly throttling: Throttling;
  readonly load: Load;
  readonly unknown: readonly string[];
}

export type BatteryState = 'charging' | 'discharging' | 'full' | 'idle' | 'unknown';

export interface Battery {
  /** 0..100 */
  readonly levelPct?: number | undefined;
  readonly state: BatteryState;
  readonly charging: boolean;
  readonly remainingMj?: number | undefined;
  /** What flows out of the battery now; absent unless it discharges. */
  readonly drawMw?: number | undefined;
  readonly temperatureC?: number | undefined;
}

export interface Temperature {
  readonly name: string;
  readonly celsius: number;
}

export type ThrottleReason = 'under-voltage' | 'frequency-capped' | 'throttled' | 'temperature-limit' | 'cooling';

export interface Throttling {
  /** `undefined`: this machine has no way to tell. */
  readonly active?: boolean | undefined;
  readonly reasons: readonly ThrottleReason[];
  /** Reasons that were true some time before, where the firmware keeps them. */
  readonly earlier: readonly ThrottleReason[];
}

export interface Load {
  /** Runnable threads, average of the last minute. */
  readonly average1m?: number | undefined;
  /** Processor time since boot over all cores, in kernel ticks: the share between two readings is how busy it was. */
  readonly ticks?: { readonly busy: number; readonly total: number } | undefined;
  /** What new work can take, within the cgroup's limit. */
  readonly memoryAvailableBytes?: number | undefined;
  /** Clock of the fastest core now, and the most it is allowed to have. */
  readonly cpuMhz?: number | undefined;
  readonly cpuLimitMhz?: number | undefined;
}
