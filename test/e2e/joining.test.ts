import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Child } from '../support/child.ts';
import { agentBin, coordinatorBin, Fleet } from '../support/fleet.ts';

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly pending: boolean;
  readonly revoked: boolean;
  readonly presence: string;
  readonly follows?: string;
  readonly followedBy?: string;
}

let fleet: Fleet;
let data: string;
let device: Child;
beforeAll(async () => {
  fleet = await Fleet.start({ agents: 0 });
  data = join(fleet.directory, 'device');
}, 60_000);
afterAll(async () => {
  await device?.stop();
  await fleet?.[Symbol.asyncDispose]();
});

async function shoal(...words: string[]): Promise<string> {
  const child = new Child(process.execPath, [coordinatorBin, ...words], { env: { SHOAL_URL: fleet.url } });
  const code = await child.ended();
  if (code !== 0) throw new Error(`shoal ${words.join(' ')} ended with ${code}:\n${child.output}`);
  return child.output;
}

const agent = (...words: string[]) => new Child(process.execPath, [agentBin, ...words, '--data', data]);
const devices = async () => (await fleet.json<{ items: Listed[] }>('GET', '/v1/devices')).items;

it('a device whose token asks for approval says that it waits, and goes on by itself once it is approved', async () => {
  const created = await shoal('token', 'create', '--approve', '--label', 'site=shop', '--expires', '1h');
  const token = /shoal1_\S+/.exec(created)?.[0] ?? '';
  device = agent('join', token, '--name', 'porch');
  await device.line(/waits for the approval of an operator: shoal devices approve porch\. It goes on by itself/);
  expect(await devices()).toMatchObject([{ name: 'porch', pending: true }]);
  expect(await shoal('devices')).toMatch(/porch +pending/);
  await shoal('devices', 'approve', 'porch');
  await device.line(/joined/);
  expect(await devices()).toMatchObject([{ pending: false, presence: 'online', labels: { site: 'shop' } }]);
}, 60_000);

it('takes a new key while it is stopped: the old one is refused, and what is known of the device stays', async () => {
  const [before] = await devices();
  expect(await whileItRuns()).toContain('restart it');
  await device.stop();
  const rekey = agent('rekey');
  expect(await rekey.ended()).toBe(0);
  expect(rekey.output).toMatch(/this device has a new key/);
  const known = await devices();
  const now = known.find(({ follows }) => follows === before?.id);
  expect(now).toMatchObject({ name: 'porch', labels: { site: 'shop' }, revoked: false });
  expect(known.find(({ id }) => id === before?.id)).toMatchObject({ revoked: true, followedBy: now?.id });
  device = agent('run');
  await device.line(/joined/);
  expect(await shoal('devices', 'show', 'porch')).toContain(before?.id ?? 'nothing');
  const status = agent('status');
  await status.ended();
  expect(status.output).toContain(now?.id ?? 'nothing');
}, 60_000);

/** The key is made, and taken at the next start. */
async function whileItRuns(): Promise<string> {
  const asked = agent('rekey');
  expect(await asked.ended()).toBe(0);
  return asked.output;
}
