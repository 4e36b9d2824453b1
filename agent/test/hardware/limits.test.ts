import { describe, expect, it } from 'vitest';
import { cpuQuota, memoryLeftBytes, memoryLimitBytes } from '../../src/hardware/cgroup.ts';
import { probeContainer } from '../../src/hardware/container.ts';
import { probeCpu } from '../../src/hardware/cpu.ts';
import { type RecordedSystem, recordedSystemReader } from '../../src/hardware/index.ts';
import { probeMemory } from '../../src/hardware/memory.ts';
import { aMachine, machine } from './machines.ts';

const reader = (files: RecordedSystem['files']) => recordedSystemReader(aMachine(files));

describe('the memory that cgroup v2 leaves', () => {
  const service = '/sys/fs/cgroup/system.slice/shoal.service';
  const own = { '/proc/self/cgroup': '0::/system.slice/shoal.service\n' };

  it('is the least of all limits above the process', async () => {
    const files = {
      ...own,
      [`${service}/memory.max`]: '1073741824\n',
      '/sys/fs/cgroup/system.slice/memory.max': '536870912\n',
    };
    expect(await memoryLimitBytes(reader(files))).toBe(536_870_912);
  });

  it('is not limited by "max", by nonsense, or by nothing', async () => {
    for (const text of ['max\n', '-1\n', 'lots\n', '']) {
      expect(await memoryLimitBytes(reader({ ...own, [`${service}/memory.max`]: text }))).toBeUndefined();
    }
    expect(await memoryLimitBytes(reader({}))).toBeUndefined();
  });

  it('counts the cache that can be given up as free, and is never below zero', async () => {
    const used = (current: string, cache: string) => ({
      ...own,
      [`${service}/memory.max`]: '1000\n',
      [`${service}/memory.current`]: current,
      [`${service}/memory.stat`]: `anon 1\ninactive_file ${cache}\n`,
    });
    expect(await memoryLeftBytes(reader(used('600\n', '200')))).toBe(600);
    expect(await memoryLeftBytes(reader(used('5000\n', '200')))).toBe(0);
  });

  it('of a container that sees the path of its host is found at the mount', async () => {
    const files = { '/proc/self/cgroup': '0::/docker/0123\n', '/sys/fs/cgroup/memory.max': '268435456\n' };
    expect(await memoryLimitBytes(reader(files))).toBe(268_435_456);
  });

  it('larger than the machine is the machine', async () => {
    const files = { ...own, [`${service}/memory.max`]: '99999999999999\n' };
    expect(await probeMemory(reader(files))).toEqual({ totalBytes: 4 * 2 ** 30, usableBytes: 4 * 2 ** 30 });
  });

  it('is looked for only so deep', async () => {
    const deep = reader({ '/proc/self/cgroup': `0::/${'a/'.repeat(2000)}\n` });
    await memoryLimitBytes(deep);
    expect(deep.asked.files).toBeLessThan(50);
  });

  it('is not looked for outside the mount', async () => {
    const files = { '/proc/self/cgroup': '0::/../../../etc\n', '/etc/memory.max': '1\n' };
    expect(await memoryLimitBytes(reader(files))).toBeUndefined();
  });
});

describe('the memory that cgroup v1 leaves', () => {
  const files = {
    '/proc/self/cgroup': '4:memory:/docker/0123\n3:cpuset:/\n0::/\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '268435456\n',
    '/sys/fs/cgroup/memory/memory.usage_in_bytes': '134217728\n',
    '/sys/fs/cgroup/memory/memory.stat': 'inactive_file 1\ntotal_inactive_file 33554432\n',
  };

  it('is the limit at the mount, and what is left of it', async () => {
    expect(await memoryLimitBytes(reader(files))).toBe(268_435_456);
    expect(await memoryLeftBytes(reader(files))).toBe(268_435_456 - (134_217_728 - 33_554_432));
  });

  it('is not limited by the largest number', async () => {
    const open = { ...files, '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' };
    expect(await memoryLimitBytes(reader(open))).toBeUndefined();
  });
});

describe('the processors that a cgroup leaves', () => {
  it('are its quota by its period, in both versions', async () => {
    expect(await cpuQuota(reader({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' }))).toBe(
      0.5,
    );
    const old = {
      '/proc/self/cgroup': '2:cpu,cpuacct:/\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '250000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    };
    expect(await cpuQuota(reader(old))).toBe(2.5);
    expect(await cpuQuota(reader({ ...old, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n' }))).toBeUndefined();
  });

  it('are unlimited when the period is zero or the text is nonsense', async () => {
    for (const text of ['100000 0\n', 'max 100000\n', '\n', '100000\n']) {
      expect(await cpuQuota(reader({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': text }))).toBeUndefined();
    }
  });
});

describe('the processors of a process', () => {
  const four = { '/sys/devices/system/cpu/online': '0-3\n' };

  it('are those it is bound to', async () => {
    const cpu = await probeCpu(reader({ ...four, '/proc/self/status': 'Cpus_allowed_list:\t1,3\n' }));
    expect(cpu).toMatchObject({ cores: 4, usableCores: 2 });
  });

  it('are no more than are plugged in, whatever its mask names', async () => {
    const cpu = await probeCpu(reader({ ...four, '/proc/self/status': 'Cpus_allowed_list:\t0-255\n' }));
    expect(cpu).toMatchObject({ cores: 4, usableCores: 4 });
  });

  it('with different abilities have only those they share', async () => {
    const core = (index: number, features: string) =>
      `processor\t: ${index}\nFeatures\t: ${features}\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n\n`;
    const cpu = await probeCpu(
      reader({ '/proc/cpuinfo': core(0, 'fp asimd asimddp i8mm') + core(1, 'fp asimd asimddp') }),
    );
    expect(cpu.features).toEqual(['asimd', 'asimddp', 'neon']);
  });

  it('that the table does not know keep their numbers', async () => {
    const text = 'processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xfff\n\n';
    expect((await probeCpu(reader({ '/proc/cpuinfo': text }))).model).toBe('1x ARM 0x41/0xfff');
  });

  it('of a 32-bit system on a 64-bit chip have NEON by its own name', async () => {
    // fastfetch-cli/fastfetch#1529 and raspberrypi/documentation#916
    const text =
      'processor\t: 0\nmodel name\t: ARMv7 Processor rev 4 (v7l)\n' +
      'Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm crc32\n' +
      'CPU implementer\t: 0x41\nCPU part\t: 0xd03\n\nHardware\t: BCM2835\n';
    expect(await probeCpu(recordedSystemReader(aMachine({ '/proc/cpuinfo': text }, { arch: 'arm' })))).toMatchObject({
      arch: 'arm',
      model: '1x Cortex-A53',
      features: ['neon', 'vfpv4'],
    });
  });
});

describe('a container', () => {
  const find = (files: RecordedSystem['files']) => probeContainer(reader(files));

  it('of Kubernetes is told from its service account or its mounts, before its engine is', async () => {
    const token = { '/var/run/secrets/kubernetes.io/serviceaccount/token': 'x' };
    expect(await find({ ...token, '/.dockerenv': '' })).toBe('kubernetes');
    const mounts = '9 1 8:1 /var/lib/kubelet/pods/ab/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n';
    expect(await find({ '/proc/self/mountinfo': mounts })).toBe('kubernetes');
  });

  it('of Podman, of LXC and of another engine is told from their own marks', async () => {
    expect(await find({ '/run/.containerenv': '' })).toBe('podman');
    expect(await find({ '/run/systemd/container': 'lxc\n' })).toBe('lxc');
    expect(await find({ '/proc/1/cgroup': '1:name=systemd:/lxc/web/init.scope\n' })).toBe('lxc');
    expect(await find({ '/run/systemd/container': 'systemd-nspawn\n' })).toBe('other');
  });

  it('of Docker is told from its mark and its mounts', async () => {
    expect(await probeContainer(recordedSystemReader(machine('container-limited')))).toBe('docker');
    expect(await find({ '/proc/1/cgroup': '4:memory:/docker/0123456789ab\n' })).toBe('docker');
  });

  it('is not a virtual machine whose disk was once an image', async () => {
    const disk = '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n';
    expect(await find({ '/.dockerenv': '', '/proc/self/mountinfo': disk })).toBeUndefined();
  });

  it('is not a machine without any of that', async () => {
    expect(await find({})).toBeUndefined();
    expect(await probeContainer(recordedSystemReader(machine('raspberry-pi-4')))).toBeUndefined();
  });
});
