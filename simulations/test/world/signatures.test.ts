import { importPeerKey, newIdentity, seededRandom, utf8 } from '@shoal/protocol';
import { World } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';
import { type SignatureKind, signaturesOf } from '../../src/world/signatures.ts';

const kinds: readonly SignatureKind[] = ['ed25519', 'simulated'];
const said = utf8('what was said');

describe.for(kinds)('signatures of a world: %s', (kind) => {
  it('fit their key and their bytes, and nothing else', () => {
    const signatures = signaturesOf(kind);
    const [one, other] = [1, 2].map((seed) => signatures.newIdentity('device', seededRandom(seed)));
    if (!one || !other) throw new Error('two were made');
    const signature = one.sign(said);
    expect(signature).toHaveLength(64);
    const key = signatures.importKey('device', one.publicKey);
    expect(key).toMatchObject({ id: one.id, publicKey: one.publicKey });
    expect([key.verify(said, signature), one.verify(said, signature)]).toEqual([true, true]);
    expect(key.verify(utf8('what was not said'), signature)).toBe(false);
    expect(signatures.importKey('device', other.publicKey).verify(said, signature)).toBe(false);
    for (const place of [0, 31, 63]) {
      const flipped = Uint8Array.from(signature);
      flipped[place] = (flipped[place] ?? 0) ^ 1;
      expect(key.verify(said, flipped)).toBe(false);
    }
    expect(key.verify(said, signature.subarray(0, 63))).toBe(false);
  });

  it('still fit when so much has been signed since that they are not remembered', () => {
    const signatures = signaturesOf(kind);
    const one = signatures.newIdentity('device', seededRandom(1));
    const signature = one.sign(said);
    for (let number = 0; number < 20_000; number++) one.sign(utf8(`word ${number}`));
    expect(signatures.importKey('device', one.publicKey).verify(said, signature)).toBe(true);
  });

  it('do not change with the buffer that was signed', () => {
    const signatures = signaturesOf(kind);
    const one = signatures.newIdentity('device', seededRandom(1));
    const buffer = Uint8Array.from(said);
    const signature = one.sign(buffer);
    buffer[0] = 0;
    expect(one.verify(buffer, signature)).toBe(false);
    expect(one.verify(said, signature)).toBe(true);
  });

  it('of another world are verified as what they are', () => {
    const stranger = newIdentity('device', seededRandom(3));
    expect(signaturesOf(kind).importKey('device', stranger.publicKey).verify(said, stranger.sign(said))).toBe(true);
  });

  it('let devices join, and be known again when the coordinator has crashed', async () => {
    const world = await World.create({ seed: 1, machines: [machine], signatures: kind });
    const [agent] = world.agents;
    world.crashCoordinator();
    await world.restartCoordinator();
    await world.clock.advance(60_000);
    expect(world.coordinator.devices.get(agent?.id ?? '').presence).toBe('online');
    expect(world.coordinator.statistics().framesRefused).toEqual({});
    await world.end();
  });
});

describe('simulated signatures', () => {
  it('are nothing to anybody outside of their world', () => {
    const one = signaturesOf('simulated').newIdentity('device', seededRandom(1));
    expect(importPeerKey('device', one.publicKey).verify(said, one.sign(said))).toBe(false);
  });
});

describe('real signatures', () => {
  it('are what Ed25519 makes of the same key', () => {
    const one = signaturesOf('ed25519').newIdentity('device', seededRandom(1));
    expect(importPeerKey('device', one.publicKey).verify(said, one.sign(said))).toBe(true);
  });
});

const machine = { name: 'pi-5', cores: 4, inferenceMs: 80, loadMs: 400 };
