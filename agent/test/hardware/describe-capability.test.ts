import { expect, it } from 'vitest';
import { describeCapability, probeCapability, recordedSystemReader } from '../../src/hardware/index.ts';
import { aMachine, type MachineName, machine, never } from './machines.ts';

const lines = async (name: MachineName) =>
  describeCapability(await probeCapability(recordedSystemReader(machine(name)), never));

it('a Pi 5 with a Hailo reads like this', async () => {
  expect(await lines('raspberry-pi-5-hailo')).toEqual([
    'machine: Raspberry Pi 5 Model B Rev 1.0; Debian GNU/Linux 12 (bookworm), kernel 6.6.51+rpt-rpi-2712',
    'cpu: 4x Cortex-A76 (arm64), 4 cores up to 2400 MHz; asimd asimddp asimdhp neon',
    'memory: 8.5 GB; disk: 231.1 GB free of 250.4 GB',
    'accelerator: npu Hailo-8L (/dev/hailo0)',
    'accelerator: gpu VideoCore VII (V3D 7.1) (/dev/dri/renderD128)',
    'accelerator: video rpi-hevc-dec (/dev/video19)',
    'power: mains (no battery seen)',
    'energy: measured on PMIC rails (pi5-pmic)',
  ]);
});

it('a laptop on battery reads like this', async () => {
  const found = await lines('laptop-on-battery');
  expect(found).toContain('power: on battery, has a battery, 51.9 Wh when full');
  expect(found).toContain('energy: measured on BAT0 (battery)');
  expect(found.at(-1)).toBe('not known: energy: only root may read /sys/class/powercap/*/energy_uj');
});

it('a container names its limits, and why a device is not usable', async () => {
  const found = await lines('container-limited');
  expect(found[0]).toContain('in a container (docker)');
  expect(found[1]).toContain('1.5 of 16 cores');
  expect(found[2]).toContain('0.5 GB of 67.4 GB usable');
  expect(found[3]).toMatch(/not usable: .*pass the device into the container/);
});

it('a machine of which little is known is described with what is known', async () => {
  const found = describeCapability(await probeCapability(recordedSystemReader(aMachine({}, { cores: 1 })), never));
  expect(found).toEqual([
    'machine: computer; linux, kernel 6.6.0',
    'cpu: unknown (arm64), 1 core',
    'memory: 4.3 GB; disk: unknown',
    'accelerator: none',
    'power: mains (no battery seen)',
    'energy: cannot be measured here',
    'not known: operating system: no name; CPU: no model; CPU: no instruction sets; disk: no size; temperature: no sensor',
  ]);
});
