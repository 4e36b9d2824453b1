import { utf8 } from '@shoal/protocol';
import { describe, expect, test } from 'vitest';
import { encodeQuery, labelEnd, parseResponse, recordTypes } from '../../src/discovery/dns.ts';
import { ownUrl, sameSource } from '../../src/discovery/found-urls.ts';
import { givesPictures, parseLinks } from '../../src/discovery/link-format.ts';
import { ServicesOf } from '../../src/discovery/mdns.ts';
import { parseProbeMatches } from '../../src/discovery/ws-discovery.ts';
import { elementsNamed, escapeXml, parseXml, textOf } from '../../src/discovery/xml.ts';
import { probeMatch } from './onvif-camera.ts';
import { aResponse } from './samples.ts';

describe('XML of a stranger', () => {
  test('is read by local names, with attributes, entities and CDATA', () => {
    const root = parseXml(
      `<?xml version="1.0"?><!-- a > b --><a:x xmlns:a="u"><b t:token='1 &lt; 2'> one &amp; &#x74;wo <![CDATA[<&]]></b><b/></a:x>`,
    );
    const [first, second] = elementsNamed(root, 'b');
    expect([root.name, first?.text, first?.attributes.get('token'), second?.text]).toEqual([
      ...['x', 'one & two <&', '1 < 2', ''],
    ]);
    expect(textOf(parseXml(`<a>${escapeXml(`<&"'>`)}</a>`), 'a')).toBeUndefined();
    expect(parseXml(`<a>${escapeXml(`<&"'>`)}</a>`).text).toBe(`<&"'>`);
  });

  test.each([
    ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['an entity of its own', '<a>&b;</a>'],
    ['half a surrogate', '<a>&#xd800;</a>'],
    ['an end without a beginning', '</a>'],
    ['an end of another', '<a></b>'],
    ['no end', '<a><b></b>'],
    ['two roots', '<a/><a/>'],
    ['text outside', '<a/>b'],
    ['an attribute without a value', '<a b></a>'],
    ['nothing', ''],
  ])('is refused with %s', (_, text) => {
    expect(() => parseXml(text)).toThrow(expect.objectContaining({ code: 'message.malformed' }));
  });

  test.each([
    ['too deep', '<a>'.repeat(65)],
    ['too long', `<a>${' '.repeat(256 << 10)}</a>`],
    ['of too many elements', `<a>${'<b/>'.repeat(10_000)}</a>`],
  ])('is refused when it is %s', (_, text) => {
    expect(() => parseXml(text)).toThrow(expect.objectContaining({ code: 'message.too-large' }));
  });
});

describe('an answer to a probe', () => {
  const said = utf8(probeMatch('uuid:of-the-question', 80, { address: '10.0.0.9', name: 'Küche 1' }));

  test('says name, hardware and service', () => {
    expect(parseProbeMatches(said, 'of-the-question')).toEqual([
      expect.objectContaining({
        ...{ name: 'Küche 1', hardware: 'D1-566' },
        xAddrs: ['http://10.0.0.9:80/onvif/device_service'],
      }),
    ]);
  });

  test('of another question is passed over', () => {
    expect(parseProbeMatches(said, 'of-somebody-else')).toEqual([]);
  });
});

describe('DNS-SD', () => {
  test('what avahi says of a service is put together, a dot in its name and all', () => {
    const services = new ServicesOf();
    expect(services.hear(parseResponse(aResponse))).toEqual([]);
    expect(services.found()).toEqual([
      { name: 'Door. bell', kind: '_rtsp', port: 8554, texts: new Map([['path', 'live/door']]) },
    ]);
  });

  test('what is missing is asked for once', () => {
    const instance = ['Yard', '_axis-video', '_tcp', 'local'].join(labelEnd);
    const ptr = { type: 'ptr', name: ['_axis-video', '_tcp', 'local'].join(labelEnd), target: instance } as const;
    const services = new ServicesOf();
    expect(services.hear([ptr])).toEqual([{ name: instance.split(labelEnd), type: recordTypes.any }]);
    expect(services.hear([ptr])).toEqual([]);
    expect(services.found()).toEqual([]);
    services.hear([{ type: 'srv', name: instance, target: 'x', port: 80 }]);
    expect(services.found()).toEqual([{ name: 'Yard', kind: '_axis-video', port: 80, texts: new Map() }]);
  });

  test('a service of another kind, and an instance of another service, are passed over', () => {
    const name = ['_rtsp', '_tcp', 'local'].join(labelEnd);
    const services = new ServicesOf();
    services.hear([
      { type: 'ptr', name: ['_http', '_tcp', 'local'].join(labelEnd), target: `x${labelEnd}_http${labelEnd}_tcp` },
      { type: 'ptr', name, target: ['x', '_http', '_tcp', 'local'].join(labelEnd) },
    ]);
    expect(services.found()).toEqual([]);
  });

  test('a name that leads to itself is refused, and a query is no answer', () => {
    const loop = Buffer.from('000084000000000100000000c00c', 'hex');
    expect(() => parseResponse(loop)).toThrow(expect.objectContaining({ code: 'message.malformed' }));
    expect(parseResponse(encodeQuery([{ name: ['a'], type: recordTypes.ptr }]))).toEqual([]);
  });
});

describe('resources of a CoAP server', () => {
  test('that give pictures are told from the rest', () => {
    const links = parseLinks(
      '</>;title="a, \\"b\\"";ct=0, </cam.jpg>;ct=22;obs,</t>;rt="temperature core.s",</v>;rt="vendor.camera";if=x',
    );
    expect(links.map(({ path }) => path)).toEqual(['/', '/cam.jpg', '/t', '/v']);
    expect(links[0]?.attributes.get('title')).toBe('a, "b"');
    expect(links.filter(givesPictures).map(({ path }) => path)).toEqual(['/cam.jpg', '/v']);
  });

  test('that are no links are refused', () => {
    for (const text of ['</a', 'a', '</a>;"b"', '</a>,,'])
      expect(() => parseLinks(text), text).toThrow(expect.objectContaining({ code: 'message.malformed' }));
  });
});

describe('a URL of a stranger', () => {
  test.each([
    ['rtsp://10.0.0.9/a?b=c', 'rtsp://10.0.0.9/a?b=c'],
    ['rtsp://admin:secret@10.0.0.9:8554/a', 'rtsp://10.0.0.9:8554/a'],
    ['rtsp://10.0.0.9/a?password=secret', 'rtsp://10.0.0.9/a?password=***'],
    ['rtsp://10.0.0.1/a', undefined],
    ['rtsp://10.0.0.9@evil.example/a', undefined],
    ['http://10.0.0.9.evil.example/', undefined],
    ['file:///etc/passwd', undefined],
    ['concat:a|b', undefined],
    [`http://10.0.0.9/${'a'.repeat(2_000)}`, undefined],
  ])('%s', (url, shown) => {
    expect(ownUrl(url, '10.0.0.9')).toBe(shown);
  });

  test('is the same stream whoever logs in', () => {
    expect(sameSource('rtsp://10.0.0.9/a', 'rtsp://me:secret@10.0.0.9:554/a')).toBe(true);
    expect(sameSource('rtsp://10.0.0.9/a', 'rtsp://10.0.0.9/b')).toBe(false);
    expect(sameSource('rtsp://10.0.0.9/a', '/videos/a.mp4')).toBe(false);
  });
});
