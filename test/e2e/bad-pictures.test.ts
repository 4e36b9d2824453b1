import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet } from '../support/fleet.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await Fleet.start({ agents: 1 });
}, 120_000);
afterAll(() => fleet?.[Symbol.asyncDispose]());

const noise = (width: number, height: number) =>
  sharp({
    create: { width, height, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma: 40 } },
  });

describe('a picture that is not what it says', () => {
  it('fails as corrupt when it is cut in the middle', async () => {
    const whole = await noise(640, 480).jpeg().toBuffer();
    expect(await analyse(whole.subarray(0, whole.length / 2), 'image/jpeg')).toMatchObject({
      state: 'failed',
      errorCode: 'input.corrupt',
    });
  });

  it('fails as too large by its header alone when it claims 60,000 x 60,000 pixels', async () => {
    expect(await analyse(pngHeader(60_000, 60_000), 'image/png')).toMatchObject({
      state: 'failed',
      errorCode: 'input.too-large',
    });
  });

  it('is analysed by what it is when its name and type say something else', async () => {
    expect(await analyse(await noise(320, 240).png().toBuffer(), 'image/jpeg')).toMatchObject({ state: 'succeeded' });
  });

  it('fails as unsupported when it is text', async () => {
    expect(await analyse(Buffer.from('I am a picture, honestly.'), 'image/jpeg')).toMatchObject({
      state: 'failed',
      errorCode: 'input.unsupported',
    });
  });

  it('is analysed by its first frame when it is animated', async () => {
    const frames = await sharp([await noise(64, 64).png().toBuffer(), await noise(64, 64).png().toBuffer()], {
      join: { animated: true },
    })
      .gif()
      .toBuffer();
    expect(await analyse(frames, 'image/gif')).toMatchObject({ state: 'succeeded' });
  });

  it('leaves the agent well: a good picture after all of that is analysed', async () => {
    expect(await analyse(await noise(640, 480).jpeg().toBuffer(), 'image/jpeg')).toMatchObject({ state: 'succeeded' });
  });
});

describe('a request that cannot be met', () => {
  it('is refused with the names of the models there are when the model is unknown', async () => {
    const response = await post(await noise(32, 32).png().toBuffer(), 'image/png', { model: 'efficientdet-lite9' });
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    const problem = (await response.json()) as { type: string; detail: string };
    expect(problem.type).toContain('model.unknown');
    expect(problem.detail).toContain('efficientdet-lite0');
  });

  it('is refused when there is no picture in it', async () => {
    const response = await fetch(`${fleet.url}/v1/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ pipeline: 'detect' }),
    });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { detail: string }).detail).toContain('input');
  });
});

async function post(bytes: Uint8Array, type: string, fields: Readonly<Record<string, string>> = {}): Promise<Response> {
  const form = new FormData();
  for (const [name, value] of Object.entries({ pipeline: 'detect', ...fields })) form.set(name, value);
  form.set('file', new Blob([Uint8Array.from(bytes)], { type }), 'picture');
  return fetch(`${fleet.url}/v1/tasks?wait=60000`, { method: 'POST', body: form });
}

async function analyse(bytes: Uint8Array, type: string): Promise<unknown> {
  return (await post(bytes, type)).json();
}

/** A PNG that is well-formed as far as its first row: only its header tells how much memory it would take. */
function pngHeader(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1024))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
