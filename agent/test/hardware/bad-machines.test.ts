import { isShoalError } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  describeCapability,
  probeCapability,
  readTelemetry,
  recordedSystemReader,
  type SystemReader,
} from '../../src/hardware/index.ts';
import { aMachine, anyText, machine, machineNames, never } from './machines.ts';

/** Text that files of a broken driver, a fuzzer or another world could hold. */
const garbage = fc.oneof(
  fc.constantFrom(
    '',
    '\n',
    '-1\n',
    '-9223372036854775808\n',
    '18446744073709551616\n',
    'NaN\n',
    'Infinity\n',
    '0x\n',
    '[N/A]\n',
  ),
  fc.constantFrom(
    'max\n',
    '1e999\n',
    '0-4294967295\n',
    '\0\0\0\0',
    '\ufffd\ufffd',
    'POWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_CAPACITY=250\n',
  ),
  anyText(200),
  fc.string({ maxLength: 20 }).map((text) => text.repeat(500)),
  fc.constant(null),
);

/** Figures that can be, and words that are short and hold nothing that would reach a terminal as a command. */
function expectSane(value: unknown, where = 'result'): void {
  if (typeof value === 'number') {
    const cold = /celsius|AtC$|temperatureC/.test(where);
    if (!Number.isFinite(value) || (value < 0 && !cold)) throw new Error(`${where} is ${value}`);
  }
  if (typeof value === 'string' && (/\p{Cc}/u.test(value) || value.length > 300)) {
    throw new Error(`${where} is ${JSON.stringify(value)}`);
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) expectSane(inner, `${where}.${key}`);
}

describe('a machine whose files hold garbage', () => {
  it('never breaks the probe, and never becomes a figure that cannot be', async () => {
    const broken = fc.constantFrom(...machineNames).chain((name) => {
      const system = machine(name);
      const paths = Object.keys(system.files);
      const lines = Object.keys(system.commands ?? {});
      return fc.record({
        system: fc.constant(system),
        files: fc.dictionary(fc.constantFrom(...paths), garbage, { maxKeys: 40 }),
        commands: fc.dictionary(
          fc.constantFrom('nvidia-smi', ...lines),
          fc.record({ stdout: garbage.map((text) => text ?? ''), code: fc.constantFrom(0, 1) }),
        ),
      });
    });
    await fc.assert(
      fc.asyncProperty(broken, async ({ system, files, commands }) => {
        const reader = recordedSystemReader({
          ...system,
          files: { ...system.files, ...files },
          commands: { ...system.commands, ...commands },
        });
        const capability = await probeCapability(reader, never);
        expectSane(capability);
        expect(capability.cpu.cores).toBeGreaterThanOrEqual(1);
        expect(capability.cpu.usableCores).toBeGreaterThan(0);
        expect(capability.memory.usableBytes).toBeLessThanOrEqual(capability.memory.totalBytes);
        const telemetry = await readTelemetry(reader, never);
        expectSane(telemetry);
        expect(telemetry.battery?.levelPct ?? 0).toBeLessThanOrEqual(100);
        expect(describeCapability(capability).join('')).not.toMatch(/\p{Cc}/u);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a machine that has nothing', () => {
  it('is what the runtime knows, and the rest is named as unknown', async () => {
    const found = await probeCapability(recordedSystemReader(aMachine()), never);
    expect(found).toEqual({
      os: { platform: 'linux', kernel: '6.6.0' },
      board: { kind: 'unknown' },
      cpu: { arch: 'arm64', cores: 4, usableCores: 4, features: [] },
      memory: { totalBytes: 4 * 2 ** 30, usableBytes: 4 * 2 ** 30 },
      accelerators: [],
      power: { source: 'mains', hasBattery: false },
      sensors: [],
      rails: [],
      unknown: [
        'operating system: no name',
        'CPU: no model',
        'CPU: no instruction sets',
        'disk: no size',
        'temperature: no sensor',
      ],
    });
  });
});

describe('a reader that throws', () => {
  const failing = (fails: (path: string) => boolean): SystemReader => {
    const reader = recordedSystemReader(machine('raspberry-pi-5-hailo'));
    return {
      ...reader,
      readText: async (path) => {
        if (fails(path)) throw new Error(`bus error at ${path}`);
        return reader.readText(path);
      },
    };
  };

  it('in one probe leaves the other probes whole, and says which one failed', async () => {
    const found = await probeCapability(
      failing((path) => path.startsWith('/sys/bus/usb') || path === '/proc/meminfo'),
      never,
    );
    expect(found.board.kind).toBe('raspberry-pi');
    expect(found.accelerators.map(({ family }) => family)).toEqual(['hailo', 'v3d', 'v4l2']);
    expect(found.memory.totalBytes).toBe(8_451_063_808);
    expect(found.unknown).toEqual(['memory: bus error at /proc/meminfo']);
  });

  it('in every probe still gives an answer', async () => {
    const found = await probeCapability(
      failing(() => true),
      never,
    );
    expect(found.cpu).toEqual({ arch: 'arm64', cores: 4, usableCores: 4, features: [] });
    expect(found.unknown.length).toBeGreaterThan(8);
    const telemetry = await readTelemetry(
      failing(() => true),
      never,
    );
    expect(telemetry.unknown).toEqual(expect.arrayContaining([expect.stringContaining('bus error')]));
  });
});

describe('a program that hangs', () => {
  const stuck = () =>
    recordedSystemReader({
      ...machine('raspberry-pi-5'),
      commands: { 'vcgencmd pmic_read_adc': 'hangs', 'vcgencmd get_throttled': 'hangs' },
    });

  it('ends with the signal, as an abort and not as a gap', async () => {
    const controller = new AbortController();
    const probing = probeCapability(stuck(), controller.signal).catch((error: unknown) => error);
    const reading = readTelemetry(stuck(), controller.signal).catch((error: unknown) => error);
    controller.abort(new Error('shutting down'));
    expect(isShoalError(await probing, 'aborted')).toBe(true);
    expect(isShoalError(await reading, 'aborted')).toBe(true);
  });

  it('that runs out of its time is only a gap', async () => {
    const reader = recordedSystemReader({
      ...machine('raspberry-pi-5'),
      commands: { 'vcgencmd pmic_read_adc': 'times out', 'vcgencmd get_throttled': 'times out' },
    });
    expect((await probeCapability(reader, never)).rails).toEqual([]);
    expect((await readTelemetry(reader, never)).unknown).toEqual(['throttling: nothing tells']);
  });

  it('is not even started when the signal has fired before', async () => {
    const reader = stuck();
    await expect(probeCapability(reader, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    expect(reader.asked).toEqual({ files: 0, folders: 0, commands: 0 });
  });
});
