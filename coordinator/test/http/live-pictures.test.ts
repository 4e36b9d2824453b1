import { expect, test } from 'vitest';
import { anApi } from './a-server.ts';

async function withCameras() {
  const api = await anApi();
  const ids: string[] = [];
  for (const name of ['door', 'yard']) {
    const { json } = await api.call('POST', '/v1/cameras', { json: { source: `rtsp://10.0.0.7/${name}`, name } });
    ids.push(json.id);
  }
  return { ...api, ids };
}

test('a picture comes as it is, with when it was captured and which report is about it', async () => {
  const { call, ids } = await withCameras();
  const answer = await call('GET', `/v1/cameras/${ids[0]}/picture`);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'image/jpeg']);
  expect([...answer.bytes]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
  expect(answer.headers).toMatchObject({ 'x-shoal-captured-at': '2025-11-13T02:13:20.000Z', 'x-shoal-number': '7' });
  expect(Number(answer.headers['x-shoal-age-ms'])).toBeGreaterThanOrEqual(40);
});

test('pictures of one camera replace each other', async () => {
  const { call, ids } = await withCameras();
  const answer = await call('GET', `/v1/cameras/${ids[0]}/live`);
  expect(answer.headers['content-type']).toBe('multipart/x-mixed-replace; boundary=shoal-picture');
  expect(answer.bytes.toString('latin1')).toMatch(
    /^--shoal-picture\r\ncontent-type: image\/jpeg\r\n(?:.*\r\n)*content-length: 4\r\n\r\n\xff\xd8\xff\xd9\r\n--shoal-picture--\r\n$/,
  );
});

test('pictures of several cameras come in one stream, each behind what was seen on it', async () => {
  const { call, ids } = await withCameras();
  const answer = await call('GET', `/v1/live?cameras=${ids.join(',')}`);
  const parts = answer.bytes.toString('latin1').split('--shoal-picture');
  const said = parts.flatMap((part) => /\r\n\r\n(\{.*\})\r\n$/.exec(part)?.[1] ?? []).map((text) => JSON.parse(text));
  expect(said.map(({ camera }) => camera)).toEqual(ids);
  expect(said[0]).toMatchObject({ number: 7, analysis: { detections: [{ label: 'person' }] } });
  expect(parts.filter((part) => part.endsWith('\xff\xd8\xff\xd9\r\n'))).toHaveLength(2);
});

test('cameras that there are not are refused before anything is streamed', async () => {
  const { call, ids } = await withCameras();
  for (const url of ['/v1/cameras/nothing/picture', '/v1/cameras/nothing/live', `/v1/live?cameras=${ids[0]},nothing`]) {
    const answer = await call('GET', url);
    expect([url, answer.status]).toEqual([url, 404]);
  }
  expect((await call('GET', '/v1/live')).status).toBe(400);
});
