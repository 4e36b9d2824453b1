import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { silentLogger } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { serviceNotice } from '../../src/service/real/index.ts';

const works = (program: string) =>
  promisify(execFile)(program, ['--version']).then(
    () => true,
    () => false,
  );
const there = (await works('systemd-notify')) && (await works('python3'));

/** What listens where systemd would: Node cannot. Prints what it is told. */
const listener = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listens', flush=True)
while True:
    data, ancillary, *_ = s.recvmsg(4096, 256)
    for level, kind, fds in ancillary:
        os.close(int.from_bytes(fds[:4], sys.byteorder))
    print('told ' + data.decode().strip().replace('\\n', '|'), flush=True)
`;

/** Says everything that it was told so far. */
async function aManager() {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-notify-'));
  const path = join(folder, 'socket');
  const child = spawn('python3', ['-c', listener, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  onTestFinished(async () => {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  });
  await vi.waitFor(() => expect(output).toContain('listens'), { timeout: 10_000 });
  return { path, told: (what: string) => output.split('\n').filter((line) => line === `told ${what}`).length };
}

it.skipIf(!there)('systemd is told that the agent runs, as often as it asks, and when it stops', async () => {
  const { told, path } = await aManager();
  const clock = new VirtualClock();
  const environment = { ...process.env, NOTIFY_SOCKET: path, WATCHDOG_USEC: '120000000' };
  const notice = serviceNotice({ clock, logger: silentLogger, environment });
  await notice.ready('waits');
  await vi.waitFor(() => expect(told('READY=1|STATUS=waits')).toBe(1));
  const pings = () => told('WATCHDOG=1');
  await clock.advance(39_000);
  expect(pings()).toBe(0);
  await clock.advance(1_000);
  await vi.waitFor(() => expect(pings()).toBe(1));
  await clock.advance(40_000);
  await vi.waitFor(() => expect(pings()).toBe(2));
  notice.stopping();
  await vi.waitFor(() => expect(told('STOPPING=1')).toBe(1));
  await clock.advance(200_000);
  expect(pings()).toBe(2);
});

it('nobody is told anything where no service manager listens', async () => {
  const clock = new VirtualClock();
  const notice = serviceNotice({ clock, logger: silentLogger, environment: { WATCHDOG_USEC: '1000' } });
  await notice.ready('waits');
  expect(clock.pending()).toEqual([]);
});
