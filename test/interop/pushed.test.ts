import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../support/find-program.ts';
import { Fleet } from '../support/fleet.ts';
import { photoFiles, sharedData } from '../support/photos.ts';

const [photo] = await photoFiles();
const clip = join(sharedData, 'clips/one-by-one-person-detection.mp4');
const [ffmpeg, mosquittoPub] = [await findProgram('ffmpeg'), await findProgram('mosquitto_pub')];
const missing = [!ffmpeg && 'ffmpeg', !mosquittoPub && 'mosquitto-clients', !existsSync(clip) && clip].filter(Boolean);
// biome-ignore lint/suspicious/noConsole: what is skipped is said aloud.
if (missing.length > 0) console.warn(`SKIPPED: cameras that send their pictures need ${missing.join(', ')}`);

/** Runs it to its end. @returns exit code and what it said */
async function run(program: string, args: readonly string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = await once(child, 'close');
  return { code, said };
}

describe.skipIf(missing.length > 0)('a camera that sends its pictures by itself', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await Fleet.start({ agents: 1 });
  }, 120_000);
  afterAll(() => fleet?.[Symbol.asyncDispose]());

  const aCamera = async () => {
    const { id } = await fleet.json<{ id: string }>('POST', '/v1/cameras', {
      ...{ source: 'push:', pipeline: 'detect', targetFps: 20 },
    });
    const { key } = await fleet.json<{ key: string }>('POST', '/v1/keys', { name: 'camera', camera: id });
    await until(async () => (await fleet.json<{ device?: string }>('GET', `/v1/cameras/${id}`)).device !== undefined);
    return { id, key };
  };
  const until = async (what: () => Promise<boolean>) => {
    const deadlineMs = performance.now() + 60_000;
    while (!(await what())) {
      if (performance.now() > deadlineMs) throw new Error('not within a minute');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const results = async (id: string) =>
    (await fleet.json<{ items: { analysis: { kind: string } }[] }>('GET', `/v1/cameras/${id}/results`)).items;

  it('may do so as ESP32 boards do: JPEG over MQTT', async () => {
    const { id, key } = await aCamera();
    const publish = (name: string, password: string, topic: string) =>
      run(mosquittoPub ?? '', [
        ...['-p', String(fleet.mqttPort), '-i', name, '-u', name, '-P', password],
        ...['-t', topic, '-q', '1', '-f', photo ?? ''],
      ]);
    // The device takes a moment to have the model.
    await until(async () => {
      expect(await publish(id, key, `shoal/cameras/${id}/push`)).toMatchObject({ code: 0 });
      return (await results(id)).length > 0;
    });
    expect((await results(id))[0]?.analysis.kind).toBe('detections');
    const other = await aCamera();
    expect((await publish(other.id, key, `shoal/cameras/${other.id}/push`)).code).not.toBe(0);
    const before = (await results(other.id)).length;
    await publish(id, key, `shoal/cameras/${other.id}/push`);
    expect((await results(other.id)).length).toBe(before);
  }, 120_000);

  it('may do so as a stream: what ffmpeg posts, picture after picture', async () => {
    const { id, key } = await aCamera();
    const streaming = run(ffmpeg ?? '', [
      ...['-hide_banner', '-loglevel', 'error', '-re', '-t', '6', '-i', clip, '-r', '5', '-f', 'mpjpeg'],
      ...['-headers', `Authorization: Bearer ${key}\r\nContent-Type: multipart/x-mixed-replace;boundary=ffmpeg\r\n`],
      ...['-method', 'POST', `${fleet.url}/v1/cameras/${id}/pictures`],
    ]);
    await until(async () => (await results(id)).length >= 5);
    expect(await streaming).toMatchObject({ said: '' });
    const { pushed } = await fleet.json<{ pushed: { taken: number } }>('GET', `/v1/cameras/${id}`);
    expect(pushed.taken).toBeGreaterThan(10);
  }, 120_000);
});
