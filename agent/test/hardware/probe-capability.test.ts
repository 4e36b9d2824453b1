import { describe, expect, it } from 'vitest';
import { type Capability, probeCapability, recordedSystemReader } from '../../src/hardware/index.ts';
import { aMachine, changed, type MachineName, machine, machineNames, never } from './machines.ts';

const probe = (name: MachineName, dataFolder = '/') =>
  probeCapability(recordedSystemReader(machine(name)), never, { dataFolder });

const accelerators = (capability: Capability) =>
  capability.accelerators.map(({ kind, family, model, ready }) => ({ kind, family, model, ready }));

describe('a Raspberry Pi 4', () => {
  it('is known by its model, its cores and its graphics', async () => {
    const found = await probe('raspberry-pi-4');
    expect(found.board).toEqual({ kind: 'raspberry-pi', model: 'Raspberry Pi 4 Model B Rev 1.5' });
    expect(found.os).toEqual({
      platform: 'linux',
      kernel: '6.6.51+rpt-rpi-v8',
      name: 'Debian GNU/Linux 12 (bookworm)',
    });
    expect(found.cpu).toEqual({
      arch: 'arm64',
      model: '4x Cortex-A72',
      cores: 4,
      usableCores: 4,
      features: ['asimd', 'neon'],
      maxMhz: 1800,
    });
    expect(found.memory).toEqual({ totalBytes: 3_977_527_296, usableBytes: 3_977_527_296 });
    expect(found.disk).toEqual({ totalBytes: 62_227_214_336, freeBytes: 48_103_026_688 });
    expect(found.container).toBeUndefined();
    expect(found.power).toEqual({ source: 'mains', hasBattery: false });
    expect(found.sensors).toEqual([{ name: 'cpu-thermal', criticalAtC: 110 }]);
    expect(found.rails).toEqual([]);
    expect(found.unknown).toEqual([]);
  });

  it('offers its decoders, not its encoder or its camera pipeline', async () => {
    expect(accelerators(await probe('raspberry-pi-4'))).toEqual([
      { kind: 'gpu', family: 'v3d', model: 'VideoCore VI (V3D 4.2)', ready: true },
      { kind: 'video', family: 'v4l2', model: 'bcm2835-codec-decode', ready: true },
      { kind: 'video', family: 'v4l2', model: 'rpi-hevc-dec', ready: true },
    ]);
  });

  it('is asked without starting a single program', async () => {
    const reader = recordedSystemReader(machine('raspberry-pi-4'));
    await probeCapability(reader, never);
    expect(reader.asked.commands).toBe(0);
  });
});

describe('a Coral stick', () => {
  const stick = machine('raspberry-pi-4-coral-usb');
  const usb = '/sys/bus/usb/devices/2-1';
  const coral = async (system = stick) =>
    (await probeCapability(recordedSystemReader(system), never)).accelerators.filter(
      ({ family }) => family === 'coral',
    );

  it('is found after its first use', async () => {
    expect(await coral()).toEqual([
      { kind: 'tpu', family: 'coral', model: 'Coral Edge TPU (USB)', device: '/dev/bus/usb/002/003', ready: true },
    ]);
  });

  it('is found before its first use, under the name of its boot loader', async () => {
    const fresh = changed(stick, { [`${usb}/idVendor`]: '1a6e\n', [`${usb}/idProduct`]: '089a\n' });
    expect(await coral(fresh)).toHaveLength(1);
  });

  it('that this user may not open says which group is missing', async () => {
    const [found] = await coral(changed(stick, { '/dev/bus/usb/002/003': null }));
    expect(found?.ready).toBe(false);
    expect(found?.note).toContain('plugdev');
  });

  it('whose address is nonsense is not looked for elsewhere', async () => {
    const [found] = await coral(changed(stick, { [`${usb}/busnum`]: '../../etc\u001b\n' }));
    expect(found).toMatchObject({ ready: false, note: expect.stringContaining('address') });
    expect(found?.device).toBeUndefined();
  });

  it('on a USB 2 port is usable, and said to be slow', async () => {
    const [found] = await coral(changed(stick, { [`${usb}/speed`]: '480\n' }));
    expect(found?.ready).toBe(true);
    expect(found?.note).toContain('USB 3');
  });

  it('on PCIe is its apex node; without the driver it is named with what to install', async () => {
    const pci = {
      '/sys/bus/pci/devices/0000:03:00.0/vendor': '0x1ac1\n',
      '/sys/bus/pci/devices/0000:03:00.0/device': '0x089a\n',
    };
    expect(await coral(aMachine({ ...pci, '/dev/apex_0': '' }))).toMatchObject([
      { device: '/dev/apex_0', ready: true },
    ]);
    const [bare] = await coral(aMachine(pci));
    expect(bare).toMatchObject({ ready: false, note: expect.stringContaining('gasket-dkms') });
  });
});

describe('a Raspberry Pi 5', () => {
  it('shows its dot-product instructions and its measuring power chip', async () => {
    const found = await probe('raspberry-pi-5');
    expect(found.board.model).toBe('Raspberry Pi 5 Model B Rev 1.0');
    expect(found.cpu).toMatchObject({
      model: '4x Cortex-A76',
      features: ['asimd', 'asimddp', 'asimdhp', 'neon'],
      maxMhz: 2400,
    });
    expect(found.rails).toEqual([
      { name: 'PMIC rails', source: 'pi5-pmic', scope: 'part', path: 'vcgencmd pmic_read_adc' },
    ]);
    expect(accelerators(found)).toEqual([
      { kind: 'gpu', family: 'v3d', model: 'VideoCore VII (V3D 7.1)', ready: true },
      { kind: 'video', family: 'v4l2', model: 'rpi-hevc-dec', ready: true },
    ]);
  });

  it('with a Hailo asks the firmware which one it is, because the PCI id does not tell', async () => {
    const found = await probe('raspberry-pi-5-hailo');
    expect(found.accelerators[0]).toEqual({
      kind: 'npu',
      family: 'hailo',
      model: 'Hailo-8L',
      driver: 'hailo_pci',
      device: '/dev/hailo0',
      ready: true,
    });
  });

  it('with a Hailo but without its tools does not claim to know which', async () => {
    const system = { ...machine('raspberry-pi-5-hailo'), commands: {} };
    const found = await probeCapability(recordedSystemReader(system), never);
    expect(found.accelerators[0]).toMatchObject({ model: 'Hailo-8 or Hailo-8L', ready: true });
  });

  it('with a Hailo but without its driver says so', async () => {
    const system = changed(machine('raspberry-pi-5-hailo'), { '/dev/hailo0': undefined });
    const found = await probeCapability(recordedSystemReader(system), never);
    expect(found.accelerators[0]).toMatchObject({
      family: 'hailo',
      ready: false,
      note: expect.stringContaining('driver'),
    });
  });
});

describe('a Jetson Nano with JetPack 4', () => {
  it('is known by its model, its release and its GPU', async () => {
    const found = await probe('jetson-nano');
    expect(found.board).toEqual({ kind: 'jetson', model: 'NVIDIA Jetson Nano Developer Kit', firmware: 'L4T 32.7.1' });
    expect(found.cpu).toMatchObject({ model: '4x Cortex-A57', usableCores: 4 });
    expect(accelerators(found)).toEqual([
      { kind: 'gpu', family: 'jetson', model: 'Jetson Maxwell GPU (Nano, TX1)', ready: true },
    ]);
  });

  it('counts the 5 V input as the whole board, and the rails behind it as inside', async () => {
    const found = await probe('jetson-nano');
    expect(found.rails.map(({ name, scope }) => [name, scope])).toEqual([
      ['POM_5V_IN', 'board'],
      ['POM_5V_GPU', 'inside'],
      ['POM_5V_CPU', 'inside'],
    ]);
  });

  it('knows when each zone throttles, and leaves out the one that is no sensor', async () => {
    const found = await probe('jetson-nano');
    expect(found.sensors.find(({ name }) => name === 'CPU-therm')).toEqual({
      name: 'CPU-therm',
      throttlesAtC: 97,
      criticalAtC: 102.5,
    });
    expect(found.sensors.map(({ name }) => name)).not.toContain('PMIC-Die');
  });

  it('without limits in cgroup v1 may use all its memory', async () => {
    const { memory } = await probe('jetson-nano');
    expect(memory.usableBytes).toBe(memory.totalBytes);
  });
});

describe('a Jetson Orin Nano with JetPack 6', () => {
  it('is one GPU, though nvidia-smi shows it once more', async () => {
    const found = await probe('jetson-orin-nano');
    expect(found.board.firmware).toBe('L4T 36.4.3');
    expect(found.cpu.model).toBe('6x Cortex-A78AE');
    expect(accelerators(found)).toEqual([
      { kind: 'gpu', family: 'jetson', model: 'Jetson Ampere GPU (Orin)', ready: true },
    ]);
  });

  it('measures on VDD_IN, not on the sum of shunt voltages or on a GPU that says [N/A]', async () => {
    const found = await probe('jetson-orin-nano');
    expect(found.rails.map(({ name, scope }) => [name, scope])).toEqual([
      ['VDD_IN', 'board'],
      ['VDD_CPU_GPU_CV', 'inside'],
      ['VDD_SOC', 'inside'],
    ]);
  });

  it('is on mains though its USB-C port, which could deliver, does not', async () => {
    expect((await probe('jetson-orin-nano')).power).toEqual({ source: 'mains', hasBattery: false });
  });

  it('whose GPU is hidden by a container says what to do', async () => {
    const hidden = changed(machine('jetson-orin-nano'), {
      '/sys/devices/platform/bus@0/17000000.gpu/load': undefined,
      '/sys/devices/platform/gpu.0/load': undefined,
    });
    const found = await probeCapability(recordedSystemReader(hidden), never);
    expect(found.accelerators[0]).toMatchObject({ ready: false, note: expect.stringContaining('NVIDIA runtime') });
  });
});

describe('a board with a Rockchip RK3588', () => {
  it('has two kinds of cores, a Mali by its maker, and an NPU that this user may not open', async () => {
    const found = await probe('orange-pi-5');
    expect(found.board).toEqual({ kind: 'board', model: 'Orange Pi 5 Plus' });
    expect(found.cpu).toMatchObject({ model: '4x Cortex-A55 + 4x Cortex-A76', cores: 8, maxMhz: 2256 });
    expect(accelerators(found)).toEqual([
      { kind: 'npu', family: 'rknpu', model: 'Rockchip NPU (RK3588)', ready: false },
      { kind: 'gpu', family: 'mali', model: 'Arm Mali (Mali-G610)', ready: true },
    ]);
    expect(found.accelerators[0]?.note).toContain('group "render"');
  });

  it('with a mainline kernel has its NPU in the accel class and its Mali behind panthor', async () => {
    const found = await probeCapability(
      recordedSystemReader(
        aMachine({
          '/proc/device-tree/compatible': 'rockchip,rk3588\0',
          '/sys/class/accel/accel0/device/uevent': 'DRIVER=rocket\n',
          '/dev/accel/accel0': '',
          '/sys/class/drm/renderD128/device/uevent': 'DRIVER=panthor\nOF_COMPATIBLE_0=rockchip,rk3588-mali\n',
          '/dev/dri/renderD128': '',
        }),
      ),
      never,
    );
    expect(accelerators(found)).toEqual([
      { kind: 'npu', family: 'rknpu', model: 'Rockchip NPU (RK3588)', ready: true },
      { kind: 'gpu', family: 'mali', model: 'Arm Mali (rockchip,rk3588-mali)', ready: true },
    ]);
  });
});

describe('a laptop on battery', () => {
  it('is told from its chassis, and its mouse is not taken for its battery', async () => {
    const found = await probe('laptop-on-battery');
    expect(found.board).toEqual({ kind: 'laptop', model: 'LENOVO 20W0CTO1WW' });
    expect(found.power).toEqual({ source: 'battery', hasBattery: true, capacityMj: 186_696_000 });
    expect(found.rails).toEqual([
      { name: 'BAT0', source: 'battery', scope: 'board', path: '/sys/class/power_supply/BAT0/uevent' },
    ]);
  });

  it('has VNNI and an Intel GPU that decodes', async () => {
    const found = await probe('laptop-on-battery');
    expect(found.cpu.model).toBe('11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz');
    expect(found.cpu.features).toEqual(expect.arrayContaining(['avx2', 'avx512_vnni', 'fma']));
    expect(accelerators(found)).toEqual([
      { kind: 'gpu', family: 'vaapi', model: 'Intel graphics (8086:9A49)', ready: true },
    ]);
  });

  it('says that the energy counters are closed to this user', async () => {
    expect((await probe('laptop-on-battery')).unknown).toEqual([
      'energy: only root may read /sys/class/powercap/*/energy_uj',
    ]);
  });
});

describe('a desktop with an NVIDIA card', () => {
  it('has its card with its memory, and does not take its sound for another', async () => {
    const found = await probe('desktop-nvidia');
    expect(found.accelerators).toEqual([
      {
        kind: 'gpu',
        family: 'cuda',
        model: 'NVIDIA GeForce RTX 3060',
        driver: 'nvidia 535.183.01',
        device: '/dev/nvidia0',
        memoryBytes: 12_884_901_888,
        ready: true,
      },
    ]);
    expect(found.board).toEqual({ kind: 'pc', model: 'B550M Pro4' });
  });

  it('without nvidia-smi is known from the files of its driver', async () => {
    const found = await probeCapability(recordedSystemReader({ ...machine('desktop-nvidia'), commands: {} }), never);
    expect(found.accelerators).toEqual([
      {
        kind: 'gpu',
        family: 'cuda',
        model: 'NVIDIA GeForce RTX 3060',
        driver: 'nvidia 535.183.01',
        device: '/dev/nvidia0',
        ready: true,
      },
    ]);
  });

  it('without the driver is not usable, and says what to install', async () => {
    const bare = changed(machine('desktop-nvidia'), {
      '/proc/driver/nvidia/version': undefined,
      '/sys/class/drm/renderD128/device/uevent': 'DRIVER=nouveau\nPCI_ID=10DE:2504\n',
    });
    const found = await probeCapability(recordedSystemReader({ ...bare, commands: {} }), never);
    expect(found.accelerators).toMatchObject([
      { family: 'cuda', ready: false, note: expect.stringContaining('install') },
    ]);
  });

  it('whose nvidia-smi fails after a driver update falls back to the files', async () => {
    const failing = { stdout: 'Failed to initialize NVML: Driver/library version mismatch\n', code: 18 };
    const commands = {
      'nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader,nounits': failing,
    };
    const found = await probeCapability(recordedSystemReader({ ...machine('desktop-nvidia'), commands }), never);
    expect(found.accelerators.map(({ model }) => model)).toEqual(['NVIDIA GeForce RTX 3060']);
  });

  it('counts the package and the card, not the cores inside the package', async () => {
    const { rails } = await probe('desktop-nvidia');
    expect(rails.map(({ name, scope }) => [name, scope])).toEqual([
      ['package-0', 'part'],
      ['core', 'inside'],
      ['GPU 0', 'part'],
    ]);
    expect(rails[0]?.wrapsAtMj).toBe(65_532_610.987);
  });
});

describe('a phone under Termux', () => {
  it('is known in spite of what Android forbids', async () => {
    const found = await probe('phone-termux', '/data/data/com.termux/files/home');
    expect(found.board).toEqual({ kind: 'phone', model: 'Xiaomi Mi 10' });
    expect(found.os).toEqual({ platform: 'android', kernel: '4.19.113-perf', name: 'Android 13' });
    expect(found.cpu).toMatchObject({ model: '4x Kryo 4xx Silver + 4x Kryo 4xx Gold', cores: 8, maxMhz: 2842 });
    expect(found.power).toEqual({ source: 'battery', hasBattery: true });
    expect(found.disk?.freeBytes).toBe(51_102_136_320);
    expect(found.unknown).toEqual(['temperature: no sensor']);
  });

  it('without Termux:API has a battery of which nothing is known', async () => {
    const found = await probeCapability(recordedSystemReader({ ...machine('phone-termux'), commands: {} }), never);
    expect(found.power).toEqual({ source: 'unknown', hasBattery: true });
    expect(found.unknown).toContain('power: mains or battery cannot be told');
  });
});

describe('a container with limits', () => {
  it('may use what the limits leave, and sees the whole machine beside it', async () => {
    const found = await probe('container-limited');
    expect(found.container).toBe('docker');
    expect(found.cpu).toMatchObject({ cores: 16, usableCores: 1.5 });
    expect(found.memory).toEqual({ totalBytes: 67_423_862_784, usableBytes: 536_870_912 });
  });

  it('does not offer a device of its host that was not passed in', async () => {
    const [gpu] = (await probe('container-limited')).accelerators;
    expect(gpu).toMatchObject({ family: 'vaapi', ready: false, note: expect.stringContaining('container') });
  });
});

it.each(machineNames)('every figure of %s is a finite number that is not negative', async (name) => {
  const walk = (value: unknown): void => {
    if (typeof value === 'number') expect(value).toSatisfy((number: number) => Number.isFinite(number) && number >= 0);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
  };
  walk(await probe(name));
});
