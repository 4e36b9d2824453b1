import type { ContainerKind } from './capability.ts';
import type { SystemReader } from './system-reader.ts';

/**
 * Which container this process is in, if any. Kubernetes is asked first, because its pods look like the engine's containers
 * from inside.
 */
export async function probeContainer(reader: SystemReader): Promise<ContainerKind | undefined> {
  const [mounts, cgroup, systemd, account, docker, podman] = await Promise.all([
    reader.readText('/proc/self/mountinfo'),
    reader.readText('/proc/1/cgroup'),
    // Written by systemd, or for it, from the `container=` of PID 1 (systemd.io/CONTAINER_INTERFACE).
    reader.readText('/run/systemd/container'),
    reader.access('/var/run/secrets/kubernetes.io/serviceaccount'),
    reader.access('/.dockerenv'),
    reader.access('/run/.containerenv'),
  ]);
  if (account !== 'missing' || /\/kubelet\/pods\/|kubepods/.test(`${mounts}${cgroup}`)) return 'kubernetes';
  if (podman !== 'missing') return 'podman';
  if (docker !== 'missing' && isDocker(mounts)) return 'docker';
  if (/lxc/.test(systemd ?? '') || /\/lxc[./]|lxcfs \/proc/.test(`${cgroup}${mounts}`)) return 'lxc';
  if (/docker|moby/.test(`${systemd}${cgroup}`)) return 'docker';
  return systemd?.trim() ? 'other' : undefined;
}

/** An image that was unpacked onto a disk keeps its /.dockerenv; what only a running engine does is mount its own /etc/hosts. */
function isDocker(mounts: string | undefined): boolean {
  return (
    mounts === undefined || / \/etc\/(hosts|resolv\.conf|hostname) /.test(mounts) || / \/ .* overlay /.test(mounts)
  );
}
