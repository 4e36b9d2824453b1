import { describe, expect, it } from 'vitest';
import { Thermometer } from '../../src/registry/thermometer.ts';

/** Readings two seconds apart, from the first on. */
function afterReadings(thermometer: Thermometer, readings: readonly (number | 'throttled')[], fromMs = 0) {
  for (const [n, reading] of readings.entries())
    thermometer.read(reading === 'throttled' ? 70 : reading, reading === 'throttled', fromMs + n * 2_000);
  return thermometer.heat;
}
const times = <T>(count: number, value: T): T[] => Array(count).fill(value);

describe('a device', () => {
  it('is hot when it has been for ten seconds, and says how hot', () => {
    expect(afterReadings(new Thermometer(), times(5, 86))).toBeUndefined();
    expect(afterReadings(new Thermometer(), times(6, 86))).toBe('it is at 86 °C');
  });

  it('is hot when it slows itself down, at whatever temperature', () => {
    expect(afterReadings(new Thermometer(), times(6, 'throttled'))).toBe('it is at 70 °C and it slows itself down');
    const mute = new Thermometer();
    for (let n = 0; n < 6; n++) mute.read(undefined, true, n * 2_000);
    expect(mute.heat).toBe('it slows itself down');
  });

  it('is not hot for a moment of it', () => {
    expect(afterReadings(new Thermometer(), [...times(5, 95), 84, ...times(5, 95)])).toBeUndefined();
    expect(afterReadings(new Thermometer(), times(50, 84))).toBeUndefined();
  });

  it('is cool again after a minute well below', () => {
    const thermometer = new Thermometer();
    afterReadings(thermometer, times(6, 90));
    expect(afterReadings(thermometer, times(100, 82), 12_000)).toBe('it is at 82 °C');
    expect(afterReadings(thermometer, times(30, 70), 300_000)).toBeDefined();
    expect(afterReadings(thermometer, [70], 360_000)).toBeUndefined();
  });
});
