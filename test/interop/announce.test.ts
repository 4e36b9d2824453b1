import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { describe, expect, it } from 'vitest';
import { Fleet } from '../support/fleet.ts';
import { hasMosquitto, Mosquitto } from '../support/mosquitto.ts';
import { hasPhotos, photoFiles } from '../support/photos.ts';

/** What is said on the broker of somebody who has Home Assistant, heard as Home Assistant does. */
class Listener {
  readonly heard = new Map<string, string>();

  static async on(url: string) {
    const listener = new Listener();
    const client = await connectAsync(url);
    client.on('message', (topic, payload) => listener.heard.set(topic, payload.toString('latin1')));
    await client.subscribeAsync([
      'homeassistant/#',
      'shoal/cameras/#',
      'shoal/events',
      'frigate/#',
      'shoal/announcer/#',
    ]);
    return { listener, client };
  }

  async until(topic: RegExp, fits: (payload: string) => boolean = () => true): Promise<string> {
    const deadlineMs = performance.now() + 60_000;
    for (;;) {
      for (const [name, payload] of this.heard) if (topic.test(name) && fits(payload)) return payload;
      if (performance.now() > deadlineMs) throw new Error(`nothing like ${topic}: ${[...this.heard.keys()].join(' ')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

describe.skipIf(!((await hasMosquitto()) && (await hasPhotos())))('Home Assistant’s broker', () => {
  it('is told of cameras, of who is there, and of events with a picture; and turns a camera off', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'shoal-announce-'));
    await using broker = await Mosquitto.start(directory);
    await using fleet = await Fleet.start({
      agents: 1,
      coordinatorArgs: ['--announce', broker.url, '--announce-frigate'],
    });
    const { listener, client } = await Listener.on(broker.url);
    const spec = { source: 'push:', name: 'Yard', pipeline: 'watch', targetFps: 10, parameters: { motion: false } };
    const { id } = await fleet.json<{ id: string }>('POST', '/v1/cameras', spec);
    const photo = (await photoFiles()).find((path) => /dog/.test(path)) ?? (await photoFiles())[0];
    const picture = await readFile(photo ?? '');
    const pushing = setInterval(() => {
      void fetch(`${fleet.url}/v1/cameras/${id}/pictures`, {
        method: 'POST',
        headers: { 'content-type': 'image/jpeg' },
        body: picture,
      }).catch(() => {});
    }, 200);
    try {
      expect(JSON.parse(await listener.until(/^homeassistant\/binary_sensor\/.*\/motion\/config$/))).toMatchObject({
        device: { name: 'Yard' },
      });
      await listener.until(/^shoal\/cameras\/.*\/state$/, (state) => /"counts":\{"\w/.test(state));
      const event = JSON.parse(await listener.until(/^shoal\/events$/));
      expect(event).toMatchObject({ camera: id, state: 'active' });
      expect(JSON.parse(await listener.until(/^frigate\/events$/))).toMatchObject({
        type: 'new',
        after: { camera: 'Yard' },
      });
      const jpeg = await listener.until(/^shoal\/cameras\/.*\/picture$/);
      expect(jpeg.slice(0, 2)).toBe('\xff\xd8');
      await client.publishAsync(`shoal/cameras/${id}/enabled/set`, 'OFF');
      await listener.until(/^shoal\/cameras\/.*\/state$/, (state) => state.includes('"enabled":false'));
      expect(await fleet.json('GET', `/v1/cameras/${id}`)).toMatchObject({
        paused: true,
        service: { detail: 'it is paused' },
      });
    } finally {
      clearInterval(pushing);
      await client.endAsync(true);
    }
    await fleet.coordinator.stop();
    const { listener: later, client: other } = await Listener.on(broker.url);
    expect(await later.until(/^shoal\/announcer\/available$/)).toBe('offline');
    await other.endAsync(true);
    await rm(directory, { recursive: true, force: true });
  }, 180_000);
});
