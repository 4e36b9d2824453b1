import { fromUtf8, utf8 } from '@shoal/protocol';
import { elementsNamed, escapeXml, parseXml, textOf, type XmlElement } from './xml.ts';

/** Where devices of ONVIF listen (WS-Discovery 1.0 §2.4, ONVIF Core §7). */
export const wsDiscoveryGroup = { address: '239.255.255.250', port: 3702 };

export interface ProbeMatch {
  /** The same wherever and whenever it answers. */
  readonly endpoint: string;
  readonly name?: string;
  readonly hardware?: string;
  /** URLs of its device service, as it says. */
  readonly xAddrs: readonly string[];
}

const mostMatches = 16;
const mostXAddrs = 16;

/** A probe for whatever sends video (ONVIF Core §7.3). @param id a UUID */
export function probe(id: string): Uint8Array {
  return utf8(
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"',
      ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">',
      `<e:Header><w:MessageID>uuid:${escapeXml(id)}</w:MessageID>`,
      '<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>',
      '<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>',
      '<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>',
    ].join(''),
  );
}

/** What answers the probe of that id. @throws `message.malformed`, `message.too-large` */
export function parseProbeMatches(datagram: Uint8Array, id: string): readonly ProbeMatch[] {
  const envelope = parseXml(fromUtf8(datagram));
  if (!textOf(envelope, 'RelatesTo')?.endsWith(id)) return [];
  return elementsNamed(envelope, 'ProbeMatch').slice(0, mostMatches).flatMap(matchOf);
}

function matchOf(match: XmlElement): readonly ProbeMatch[] {
  const endpoint = textOf(match, 'Address');
  if (endpoint === undefined || endpoint === '') return [];
  const scopes = words(textOf(match, 'Scopes'));
  const name = scopeOf(scopes, 'name');
  const hardware = scopeOf(scopes, 'hardware');
  return [
    {
      endpoint,
      xAddrs: words(textOf(match, 'XAddrs')).slice(0, mostXAddrs),
      ...(name !== undefined && { name }),
      ...(hardware !== undefined && { hardware }),
    },
  ];
}

/** `onvif://www.onvif.org/name/Front%20door` (ONVIF Core §7.3.2.2). */
function scopeOf(scopes: readonly string[], kind: string): string | undefined {
  const start = `onvif://www.onvif.org/${kind}/`;
  const scope = scopes.find((one) => one.toLowerCase().startsWith(start));
  if (scope === undefined) return undefined;
  const said = scope.slice(start.length);
  try {
    return decodeURIComponent(said);
  } catch {
    return said;
  }
}

function words(text = ''): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
