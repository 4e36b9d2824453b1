import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Child } from '../support/child.ts';
import { agentBin, Fleet } from '../support/fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await Fleet.start({ agents: 1 });
}, 60_000);
afterAll(() => fleet?.[Symbol.asyncDispose]());

/** What a revoked agent says, once and no more. */
const line = /revoked this device: .*shoal-agent join TOKEN --data OTHER/g;

it('an agent that is revoked ends with exit code 1 and says what to do, and so does its next start', async () => {
  const { items } = await fleet.json<{ items: { id: string }[] }>('GET', '/v1/devices');
  const deleted = await fetch(`${fleet.url}/v1/devices/${items[0]?.id}`, { method: 'DELETE' });
  expect(deleted.ok).toBe(true);
  const [joined] = fleet.agents;
  if (joined) await expectEnded(joined);
  await expectEnded(new Child(process.execPath, [agentBin, 'run', '--data', join(fleet.directory, 'agent-0')]));
}, 60_000);

async function expectEnded(agent: Child): Promise<void> {
  expect(await agent.ended()).toBe(1);
  expect(agent.output.match(line)).toHaveLength(1);
}
