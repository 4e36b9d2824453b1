import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../support/child.ts';
import { findProgram } from '../support/find-program.ts';
import { coordinatorBin } from '../support/fleet.ts';

const address = '10.77.0.1';
const password = 'only-a-digest-of-this';
const camera = join(import.meta.dirname, '../../coordinator/test/discovery/onvif-camera.ts');
const script = join(import.meta.dirname, '../support/camera-network.sh');

const programs = ['coap-server-notls', 'coap-client-notls', '/usr/sbin/avahi-daemon', 'unshare', 'nsenter', 'ip'];
const missing: string[] = [];
for (const program of programs) if (!(await findProgram(program))) missing.push(program);
const mayUnshare = missing.length === 0 && spawnSync('unshare', ['-nm', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
if (!mayUnshare) {
  const why =
    missing.length > 0
      ? `${missing.join(', ')} of libcoap3-bin, avahi-daemon and iproute2`
      : 'a network namespace of its own';
  // biome-ignore lint/suspicious/noConsole: what is skipped is said aloud.
  console.warn(`SKIPPED: the tests that look for cameras on a network need ${why}`);
}

interface Found {
  readonly name: string;
  readonly via: string;
  readonly sources: readonly string[];
  readonly known?: string;
}

describe.skipIf(!mayUnshare)('shoal cameras discover, on a network with cameras by others', () => {
  let directory: string;
  let network: Child;
  let coordinator: Child;
  let url: string;
  const inside = (env: NodeJS.ProcessEnv, ...words: readonly string[]) =>
    new Child('nsenter', ['-t', String(network.pid), '-n', process.execPath, coordinatorBin, ...words], { env });

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shoal-discovery-'));
    network = new Child('unshare', [
      ...['-nm', 'sh', script, directory, address, process.execPath, camera],
      ...['viewer', password],
    ]);
    await network.line(/the network is there/);
    const data = ['--data', join(directory, 'coordinator'), '--insecure-loopback'];
    coordinator = inside({}, 'coordinator', ...data, '--http-port', '0', '--mqtt-port', '0', '--log-level', 'debug');
    url = (await coordinator.line(/http:\/\/[^:/]+:\d+/))[0];
  }, 180_000);
  afterAll(async () => {
    await coordinator?.stop();
    network?.process.stdin?.end();
    await network?.ended();
    await rm(directory, { recursive: true, force: true });
  }, 60_000);

  const discover = async (env: NodeJS.ProcessEnv, ...words: readonly string[]) => {
    const child = inside({ SHOAL_URL: url, ...env }, 'cameras', 'discover', ...words);
    await child.ended();
    return child.output;
  };

  it('finds one of each kind, with what it can be read from, and says no password', async () => {
    let [said, found]: [string, readonly Found[]] = ['', []];
    // Datagrams get lost, and servers answer a group when they have time for it: who is not heard is asked again.
    for (let search = 0; search < 3 && found.length < 3; search++) {
      said = await discover({ SHOAL_CAMERA_PASSWORD: password }, '--login', 'viewer', '--json');
      found = JSON.parse(said);
    }
    expect(found.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: 'Door. bell', address, via: 'mdns', sources: [`rtsp://${address}:8554/live/door`] },
      { name: 'Dynamic', address, via: 'coap', sources: [`coap://${address}/snapshot.jpg`] },
      {
        ...{ name: 'Front door', hardware: 'D1-566', address, via: 'onvif' },
        sources: [
          `rtsp://${address}/main?profile=1&unicast=true`,
          `rtsp://${address}/sub?profile=1&unicast=true`,
          expect.stringMatching(`^http://${address}:\\d+/snapshot.jpg$`),
        ],
      },
    ]);
    expect(said + coordinator.output).not.toContain(password);
    expect(said).not.toContain('in-the-uri');
  }, 120_000);
});
