import { describe, expect, it } from 'vitest';
import { aWorld } from '../support/world.ts';

describe('an API key', () => {
  it('opens the door until it is revoked, after a restart too, and only its digest is kept', async () => {
    const world = await aWorld();
    const { key, id } = await world.clock.until(world.coordinator.apiKeys.create('shell'));
    expect(key).toMatch(/^shoal_[\w-]{43}$/);
    expect(JSON.stringify([...world.disk.apiKeys.values()])).not.toContain(key);
    await world.restartAfterCrash();
    expect(world.coordinator.apiKeys.verify(key)).toMatchObject({ id, name: 'shell' });
    expect(world.coordinator.apiKeys.list()).toMatchObject([{ id, name: 'shell' }]);
    await world.clock.until(world.coordinator.apiKeys.revoke(id));
    expect(world.coordinator.apiKeys.verify(key)).toBeUndefined();
    await world.restartAfterCrash();
    expect(world.coordinator.apiKeys.verify(key)).toBeUndefined();
  });

  it('that is wrong, cut short or empty opens nothing', async () => {
    const world = await aWorld();
    const { key } = await world.clock.until(world.coordinator.apiKeys.create('shell'));
    for (const wrong of ['', 'shoal_', key.slice(0, -1), `${key}x`, key.toUpperCase()]) {
      expect(world.coordinator.apiKeys.verify(wrong)).toBeUndefined();
    }
  });

  it('needs a name, and must exist to be revoked', async () => {
    const world = await aWorld();
    await expect(world.coordinator.apiKeys.create('')).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(world.coordinator.apiKeys.revoke('key_none')).rejects.toMatchObject({ code: 'not-found' });
  });
});
