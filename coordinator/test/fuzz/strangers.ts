import { fromUtf8, utf8 } from '@shoal/protocol';
import type { FuzzTarget } from '@shoal/protocol/testing';
import { parseResponse } from '../../src/discovery/dns.ts';
import { ownUrl } from '../../src/discovery/found-urls.ts';
import { givesPictures, parseLinks } from '../../src/discovery/link-format.ts';
import { ServicesOf } from '../../src/discovery/mdns.ts';
import { parseProbeMatches } from '../../src/discovery/ws-discovery.ts';
import { probeMatch } from '../discovery/onvif-camera.ts';
import { aResponse, someLinks } from '../discovery/samples.ts';

const address = '10.0.0.9';
const id = '9b6f';

/** What is heard while cameras are looked for: anybody on the network can say it. */
export const strangerTargets: readonly FuzzTarget[] = [
  {
    name: 'answer to a probe of WS-Discovery',
    form: 'text',
    samples: [utf8(probeMatch(id, 80, { address })), utf8('<a><![CDATA[x]]><!-- y --><?z?><b c="&#x41;"/></a>')],
    refuses: ['message.malformed', 'message.too-large'],
    cost: 2,
    take(bytes) {
      for (const { endpoint } of parseProbeMatches(bytes, id))
        if (endpoint === '') throw new Error('a camera without an endpoint');
    },
  },
  {
    name: 'answer of multicast DNS',
    form: 'bytes',
    samples: [aResponse],
    refuses: ['message.malformed'],
    take(bytes) {
      const services = new ServicesOf();
      services.hear(parseResponse(bytes));
      for (const { port } of services.found()) if (!(port > 0 && port < 65_536)) throw new Error(`port ${port}`);
    },
  },
  {
    name: 'resources of a CoAP server',
    form: 'text',
    samples: [utf8(someLinks)],
    refuses: ['message.malformed', 'message.too-large'],
    take(bytes) {
      parseLinks(fromUtf8(bytes)).some(givesPictures);
    },
  },
  {
    name: 'URL of a camera that was found',
    form: 'text',
    samples: [`rtsp://admin:secret@${address}:8554/a?b=c`, `http://${address}/snapshot.jpg`].map(utf8),
    refuses: [],
    take(bytes) {
      const shown = ownUrl(fromUtf8(bytes), address);
      if (shown !== undefined && (URL.parse(shown)?.hostname !== address || /^[^/]*\/\/[^/?#]*@/.test(shown)))
        throw new Error(`${shown} leads elsewhere, or shows a login`);
    },
  },
];
