import { expect, it } from 'vitest';
import {
  probeCapability,
  type RecordedSystem,
  readTelemetry,
  recordedSystemReader,
  recordingSystemReader,
} from '../../src/hardware/index.ts';
import { machine, machineNames, never } from './machines.ts';

async function record(system: RecordedSystem): Promise<RecordedSystem> {
  const recorder = recordingSystemReader(recordedSystemReader(system));
  await probeCapability(recorder, never);
  await readTelemetry(recorder, never);
  return JSON.parse(JSON.stringify(recorder.recording(system.about)));
}

it.each(machineNames)('%s that is recorded again is the same machine', async (name) => {
  const first = machine(name);
  const second = await record(first);
  const both = [recordedSystemReader(first), recordedSystemReader(second)] as const;
  expect(await probeCapability(both[1], never)).toEqual(await probeCapability(both[0], never));
  expect(await readTelemetry(both[1], never)).toEqual(await readTelemetry(both[0], never));
});

it('a recording tells no serial number', async () => {
  const pi = machine('raspberry-pi-4');
  const cpuinfo = pi.files['/proc/cpuinfo']?.replace(/^Serial.*$/m, 'Serial\t\t: 100000000fe69593');
  const recorded = await record({ ...pi, files: { ...pi.files, '/proc/cpuinfo': cpuinfo ?? null } });
  expect(recorded.files['/proc/cpuinfo']).toContain('Serial');
  expect(JSON.stringify(recorded)).not.toContain('fe69593');
});
