import type { OperatingSystem } from './capability.ts';
import { fields, line } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

export async function probeOperatingSystem(reader: SystemReader): Promise<OperatingSystem> {
  const { platform, kernel } = reader.host();
  return { platform, kernel, name: await nameOf(reader, platform) };
}

async function nameOf(reader: SystemReader, platform: string): Promise<string | undefined> {
  if (platform === 'android') {
    const release = line((await reader.run('getprop', ['ro.build.version.release'], { timeoutMs: 2000 }))?.stdout);
    return release ? `Android ${release}` : 'Android';
  }
  if (platform === 'darwin') {
    const version = line((await reader.run('sw_vers', ['-productVersion'], { timeoutMs: 2000 }))?.stdout);
    return version ? `macOS ${version}` : 'macOS';
  }
  if (platform === 'win32') return 'Windows';
  // os-release(5): /etc first, then the vendor's.
  const release = (await reader.readText('/etc/os-release')) ?? (await reader.readText('/usr/lib/os-release'));
  const names = fields(release, '=');
  return line((names.get('PRETTY_NAME') ?? names.get('NAME'))?.replace(/^(["'])(.*)\1$/, '$2'));
}
