import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * A camera as the examples of the ONVIF specifications have it (Core 2.x §7 and §8, Media 1 §5; WS-Discovery 1.0; WSS UsernameToken 1.1): there is no
 * server of ONVIF in Debian. As a program: `node onvif-camera.ts ADDRESS USER PASSWORD`.
 */

export interface OnvifCameraOptions {
  /** Of an interface of this machine: where it listens, and its service is. */
  readonly address: string;
  /** Left out: a free one. */
  readonly probePort?: number;
  readonly login?: { readonly user: string; readonly password: string };
  /** Instead of its own: what it says of where its services and streams are. `PORT` is its own port. */
  readonly says?: { readonly xAddrs?: string; readonly media?: string; readonly stream?: string };
  readonly name?: string;
  /** How far its clock is ahead of that of this machine. */
  readonly clockAheadMs?: number;
  /** Every call of its service is answered so instead. */
  readonly redirectTo?: string;
}

const group = '239.255.255.250';

export class OnvifCamera implements AsyncDisposable {
  readonly probePort: number;
  readonly httpPort: number;
  /** The bodies of all requests to its service. */
  readonly heard: readonly string[];
  readonly #close: () => Promise<void>;

  private constructor(probePort: number, httpPort: number, heard: readonly string[], close: () => Promise<void>) {
    this.probePort = probePort;
    this.httpPort = httpPort;
    this.heard = heard;
    this.#close = close;
  }

  static async start(options: OnvifCameraOptions): Promise<OnvifCamera> {
    const { address, probePort = 0, redirectTo } = options;
    const heard: string[] = [];
    const nonces = new Set<string>();
    let port = 0;
    const http = createServer(async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const body = Buffer.concat(pieces).toString('utf8');
      heard.push(body);
      if (redirectTo !== undefined) {
        response.writeHead(307, { location: redirectTo }).end();
        return;
      }
      const { status, text } = answer(body, port, options, nonces);
      response.writeHead(status, { 'content-type': 'application/soap+xml; charset=utf-8' }).end(text);
    });
    http.listen(0, address);
    await once(http, 'listening');
    port = (http.address() as AddressInfo).port;

    const udp = createSocket({ type: 'udp4', reuseAddr: true });
    udp.bind(probePort, group);
    await once(udp, 'listening');
    udp.addMembership(group, address);
    udp.on('message', (bytes, from) => {
      const id = /MessageID[^>]*>\s*([^<\s]+)/.exec(bytes.toString('utf8'))?.[1];
      if (id !== undefined) udp.send(probeMatch(id, port, options), from.port, from.address);
    });
    return new OnvifCamera(udp.address().port, port, heard, async () => {
      udp.close();
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

/** ONVIF Core §7.3.2.3, as printed there but for the values. */
export function probeMatch(
  id: string,
  port: number,
  { address, name = 'Front door', says = {} }: OnvifCameraOptions,
): string {
  const xAddrs = (says.xAddrs ?? `http://${address}:PORT/onvif/device_service`).replaceAll('PORT', String(port));
  return `<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing"
  xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
 <SOAP-ENV:Header>
  <wsa:MessageID>uuid:b7bd2b7a-3d84-4a1c-9b45-9b3f7d6a2ef1</wsa:MessageID><wsa:RelatesTo>${id}</wsa:RelatesTo>
  <wsa:To SOAP-ENV:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</wsa:To>
  <wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</wsa:Action>
 </SOAP-ENV:Header>
 <SOAP-ENV:Body><d:ProbeMatches><d:ProbeMatch>
  <wsa:EndpointReference><wsa:Address>urn:uuid:98190dc2-0890-4ef8-ac9a-${createHash('sha1').update(name).digest('hex').slice(0, 12)}</wsa:Address></wsa:EndpointReference>
  <d:Types>dn:NetworkVideoTransmitter</d:Types>
  <d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/D1-566 onvif://www.onvif.org/name/${encodeURIComponent(name)}</d:Scopes>
  <d:XAddrs>${xAddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>
 </d:ProbeMatch></d:ProbeMatches></SOAP-ENV:Body>
</SOAP-ENV:Envelope>`;
}

function answer(body: string, port: number, options: OnvifCameraOptions, nonces: Set<string>) {
  const { address, says = {}, clockAheadMs = 0, login } = options;
  const nowMs = Date.now() + clockAheadMs;
  if (body.includes('GetSystemDateAndTime')) return soap(dateAndTime(new Date(nowMs)));
  if (login && !isAuthorized(body, login, nowMs, nonces)) return notAuthorized;
  const here = `http://${address}:${port}`;
  const profile = /ProfileToken>([^<]*)</.exec(body)?.[1];
  if (body.includes('GetCapabilities'))
    return soap(
      `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>${says.media ?? `${here}/onvif/media`}</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>`,
    );
  if (body.includes('GetProfiles'))
    return soap(
      `<trt:GetProfilesResponse><trt:Profiles fixed="true" token="main"><tt:Name>Main</tt:Name></trt:Profiles><trt:Profiles token='sub &amp; small'><tt:Name>Sub</tt:Name></trt:Profiles></trt:GetProfilesResponse>`,
    );
  if (body.includes('GetStreamUri')) {
    const path = profile === 'main' ? 'main' : 'sub';
    const uri = says.stream ?? `rtsp://admin:in-the-uri@${address}/${path}?profile=1&amp;unicast=true`;
    return soap(
      `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>${uri}</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>`,
    );
  }
  if (body.includes('GetSnapshotUri'))
    return soap(
      `<trt:GetSnapshotUriResponse><trt:MediaUri><tt:Uri>${here}/snapshot.jpg</tt:Uri></trt:MediaUri></trt:GetSnapshotUriResponse>`,
    );
  return { status: 400, text: fault('ter:ActionNotSupported') };
}

/** As WSS UsernameToken Profile 1.1 §3.1 says, of the last minute, and each nonce once. */
function isAuthorized(
  body: string,
  { user, password }: { readonly user: string; readonly password: string },
  nowMs: number,
  nonces: Set<string>,
): boolean {
  const said = (name: string) => new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)<`).exec(body)?.[1] ?? '';
  const [nonce, created] = [said('Nonce'), said('Created')];
  if (nonces.has(nonce) || Math.abs(Date.parse(created) - nowMs) > 60_000) return false;
  nonces.add(nonce);
  const digest = createHash('sha1')
    .update(Buffer.from(nonce, 'base64'))
    .update(created)
    .update(password)
    .digest('base64');
  return said('Username') === user && said('Password') === digest;
}

function dateAndTime(date: Date): string {
  const time = `<tt:Hour>${date.getUTCHours()}</tt:Hour><tt:Minute>${date.getUTCMinutes()}</tt:Minute><tt:Second>${date.getUTCSeconds()}</tt:Second>`;
  const day = `<tt:Year>${date.getUTCFullYear()}</tt:Year><tt:Month>${date.getUTCMonth() + 1}</tt:Month><tt:Day>${date.getUTCDate()}</tt:Day>`;
  return `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time>${time}</tt:Time><tt:Date>${day}</tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`;
}

const notAuthorized = { status: 400, text: fault('ter:NotAuthorized') };

function soap(body: string) {
  return { status: 200, text: wrapped(body) };
}

function fault(code: string): string {
  return wrapped(
    `<env:Fault><env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>${code}</env:Value></env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">${code}</env:Text></env:Reason></env:Fault>`,
  );
}

function wrapped(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><!-- a camera --><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error"><env:Body>${body}</env:Body></env:Envelope>`;
}

if (import.meta.main) {
  const [address = '', user = '', password = ''] = process.argv.slice(2);
  await OnvifCamera.start({ address, probePort: 3702, login: { user, password } });
  process.stdout.write('listening\n');
}
