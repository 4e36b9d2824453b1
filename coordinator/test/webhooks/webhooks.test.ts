import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signedHeaders } from '../../src/webhooks/signature.ts';
import { anEvent, startMs } from '../support/builders.ts';
import { aBook, aStart, until } from './a-book.ts';
import { aReceiver, type Received } from './a-receiver.ts';

const idOf = ({ text }: { text: string }): string => JSON.parse(text).id;

describe('a webhook', () => {
  it('tells of each start, change and end, in order, as a CloudEvent', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec, clock } = await aBook();
    await book.create(spec(`${receiver.url}/hook?token=abc`));
    tell(aStart(1));
    await clock.advance(500);
    tell(aStart(1, { lastResult: 'res_7', zones: { door: 300 } }));
    tell(anEvent(1, { zones: { door: 900 } }));
    await until(() => receiver.got.length === 3);
    const [first, second, third] = receiver.got.map(({ text }) => JSON.parse(text));
    const id = anEvent(1).id;
    expect(first).toEqual({
      specversion: '1.0',
      id: `${id}-started`,
      source: 'urn:shoal:crd_test',
      type: 'dev.shoal.event.started',
      subject: 'cam_1',
      time: new Date(startMs + 1).toISOString(),
      datacontenttype: 'application/json',
      data: {
        ...{ id, camera: 'cam_1', cameraName: 'Front door', device: 'dev_a', label: 'person', track: 1, zones: {} },
        ...{ topScore: 0.9, box: { x: 1, y: 2, width: 3, height: 4.5 }, picture: { width: 640, height: 360 } },
        ...{ firstResult: 'res_1', lastResult: 'res_1', state: 'active', startedAt: '2026-01-01T00:00:00.001Z' },
      },
    });
    expect(second).toMatchObject({ id: `${id}-updated-res_7`, type: 'dev.shoal.event.updated' });
    expect(third).toMatchObject({
      ...{ id: `${id}-ended`, type: 'dev.shoal.event.ended', time: '2026-01-01T00:00:01.001Z' },
      data: { state: 'ended', endedAt: '2026-01-01T00:00:01.001Z', zones: { door: 900 } },
    });
    expect(receiver.got[0]?.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(receiver.got[0]?.path).toBe('/hook?token=abc');
    await until(() => book.list()[0]?.delivered === 3);
    expect(book.list()).toMatchObject([{ waiting: 0, failed: 0, dropped: 0 }]);
  });

  it('says of an event that ends as it starts that it started and that it ended, and nothing twice', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec } = await aBook();
    await book.create(spec(receiver.url));
    tell(anEvent(1, { lastResult: 'res_1' }));
    tell(aStart(2));
    tell(aStart(2));
    tell(anEvent(2, { lastResult: 'res_1' }));
    await until(() => receiver.got.length === 4);
    const [one, two] = [anEvent(1).id, anEvent(2).id];
    expect(receiver.got.map(idOf)).toEqual([`${one}-started`, `${one}-ended`, `${two}-started`, `${two}-ended`]);
  });

  it('signs what it sends as Standard Webhooks does', async () => {
    // The example of docs.svix.com, Verifying Webhooks Manually: the scheme that Standard Webhooks took over, under other header names.
    const published = signedHeaders(Buffer.from('plJ3nmyCDGBKInavdOK15jsl', 'base64'), {
      ...{ id: 'msg_loFOjxBNrRLzqYUf', atMs: 1_731_705_121_000 },
      body: '{"event_type":"ping","data":{"success":true}}',
    });
    expect(published['webhook-signature']).toBe('v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=');

    const receiver = await aReceiver();
    const { book, tell, spec } = await aBook();
    const { secret } = await book.create(spec(receiver.url));
    tell(aStart(1));
    await until(() => receiver.got.length === 1);
    const [{ headers, text }] = receiver.got as [Received];
    expect(headers['webhook-id']).toBe(JSON.parse(text).id);
    expect(headers['webhook-id']).not.toContain('.');
    expect(headers['webhook-timestamp']).toBe(String(startMs / 1_000));
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  });

  it('hears only of the types, the camera, the label and the zone that it asked for', async () => {
    const receiver = await aReceiver();
    const { book, tell, spec } = await aBook();
    await book.create(spec(`${receiver.url}/ends`, { types: ['event.ended'] }));
    await book.create(spec(`${receiver.url}/camera`, { camera: 'cam_2' }));
    await book.create(spec(`${receiver.url}/label`, { label: 'dog' }));
    await book.create(spec(`${receiver.url}/zone`, { zone: 'door' }));
    tell(aStart(1));
    tell(aStart(2, { label: 'dog' }));
    tell(aStart(3, { camera: 'cam_2' }));
    tell(aStart(1, { lastResult: 'res_2', zones: { door: 1 } }));
    tell(anEvent(4, { camera: 'cam_3' }));
    await until(() => receiver.got.length === 4);
    const heard = receiver.got.map((one) => `${one.path} ${idOf(one).replace(/evt_0+/, '')}`);
    const wanted = ['/camera 3-started', '/ends 4-ended', '/label 2-started', '/zone 1-updated-res_2'];
    expect(heard.toSorted()).toEqual(wanted);
    await until(() => book.list().every(({ waiting }) => waiting === 0));
    expect(receiver.got).toHaveLength(4);
  });
});
