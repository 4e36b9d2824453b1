import { request } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { boundaryOf, partsOf } from '../../src/http/multipart-pictures.ts';
import { anApi, aServer, key } from './a-server.ts';

const never = new AbortController().signal;
const stream = 'multipart/x-mixed-replace; boundary=frame';
const part = (body: string) =>
  `--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${body.length}\r\n\r\n${body}\r\n`;

async function aCamera() {
  const api = await anApi();
  const { id } = (await api.call('POST', '/v1/cameras', { json: { source: 'push:', name: 'esp32' } })).json;
  const push = (body: string, type: string, headers = {}) =>
    api.call('POST', `/v1/cameras/${id}/pictures`, { body, headers: { 'content-type': type, ...headers } });
  return { ...api, id, push };
}

describe('pictures that a camera sends', () => {
  test('are taken one by one', async () => {
    const { push, coordinator } = await aCamera();
    const answer = await push('a picture', 'image/jpeg');
    expect([answer.status, answer.json]).toEqual([202, { taken: 1, dropped: 0 }]);
    expect(coordinator.pushed).toEqual(['a picture']);
  });

  test('are taken as a stream, of which each picture goes on as soon as it is there', async () => {
    const { server, coordinator, call } = await aServer();
    await server.start(never);
    const { id } = (await call('POST', '/v1/cameras', { json: { source: 'push:', name: 'esp32' } })).json;
    const answered = new Promise<number | undefined>((resolve) => {
      const sending = request(
        `${server.url}/v1/cameras/${id}/pictures`,
        { method: 'POST', headers: { 'content-type': stream, authorization: `Bearer ${key}` } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      sending.write(part('one') + part('two'));
      void vi
        .waitFor(() => expect(coordinator.pushed).toContain('two'))
        .then(() => sending.end(`${part('three')}--frame--\r\n`));
    });
    expect(await answered).toBe(202);
    expect(coordinator.pushed).toEqual(['one', 'two', 'three']);
    await server.stop();
  });

  test('may come with a key that is good for this camera and nothing else', async () => {
    const { id, inject, call, coordinator } = await aCamera();
    const other = (await call('POST', '/v1/cameras', { json: { source: 'push:', name: 'other' } })).json.id;
    const made = await call('POST', '/v1/keys', { json: { name: 'esp32', camera: id } });
    expect(made.json).toMatchObject({ name: 'esp32', camera: id });
    const headers = { authorization: `Bearer ${made.json.key}`, 'content-type': 'image/jpeg' };
    const send = (camera: string) =>
      inject({ method: 'POST', url: `/v1/cameras/${camera}/pictures`, headers, payload: 'x' });
    expect((await send(id)).statusCode).toBe(202);
    expect((await send(other)).statusCode).toBe(401);
    expect((await inject({ method: 'GET', url: '/v1/cameras', headers })).statusCode).toBe(401);
    expect((await inject({ method: 'GET', url: `/v1/cameras/${id}`, headers })).statusCode).toBe(401);
    expect(coordinator.pushed).toEqual(['x']);
  });

  test('of nobody known, of no camera, or without a body, are problems', async () => {
    const { id, inject, call, push } = await aCamera();
    const strange = await inject({ method: 'POST', url: `/v1/cameras/${id}/pictures`, payload: 'x' });
    expect(strange.statusCode).toBe(401);
    const headers = { 'content-type': 'image/jpeg' };
    expect((await call('POST', '/v1/cameras/cam_0/pictures', { body: 'x', headers })).json.code).toBe('not-found');
    expect((await push('no delimiter'.repeat(2_000_000), stream)).json.code).toBe('input.corrupt');
    expect((await call('POST', `/v1/keys`, { json: { name: 'x', camera: 'cam_0' } })).json.code).toBe('not-found');
  });
});

describe('a multipart stream', () => {
  const partsIn = async (text: string, size: number, limit = 100) => {
    const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
    const found: string[] = [];
    const parts = partsOf(Readable.from(pieces.map((piece) => Buffer.from(piece, 'latin1'))), 'frame', limit);
    for await (const one of parts) found.push(Buffer.from(one).toString('latin1'));
    return found;
  };

  test.each([1, 2, 3, 7, 1_000])('is cut into its parts however it comes, %i bytes at a time', async (size) => {
    const text = `${part('one')}${part('t\r\n\r\nwo')}--frame\nContent-Type: image/jpeg\n\nthree\n--frame--`;
    expect(await partsIn(text, size)).toEqual(['one', 't\r\n\r\nwo', 'three']);
  });

  test('gives out a part that says how long it is as soon as that is here, in time that grows with its length', async () => {
    const long = 'x'.repeat(2_000_000);
    const text = `--frame\r\nContent-Length: ${long.length}\r\n\r\n${long}`;
    expect(await partsIn(text, 1_400, 3_000_000)).toEqual([long]);
  });

  test('with a part above the limit is refused before it is whole', async () => {
    await expect(partsIn(part('x'.repeat(20_000)), 500)).rejects.toMatchObject({ code: 'input.too-large' });
  });

  test.each([
    ['multipart/x-mixed-replace; boundary=frame', 'frame'],
    ['multipart/x-mixed-replace;boundary="a b"', 'a b'],
    ['multipart/x-mixed-replace; charset=x; boundary=--myboundary', 'myboundary'],
    ['image/jpeg', undefined],
    ['multipart/form-data', undefined],
  ])('%s has the boundary %s', (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary);
  });
});
