import { createHash } from 'node:crypto';
import { type Random, ShoalError, utf8 } from '@shoal/protocol';
import { elementsNamed, escapeXml, parseXml, textOf, type XmlElement } from './xml.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** Sends a SOAP envelope and gives back what the service answers, a fault too. Nothing is followed. @throws `net.unreachable`, `message.too-large` */
export type CallService = (url: string, envelope: string, signal: AbortSignal) => Promise<SoapAnswer>;

export interface SoapAnswer {
  readonly status: number;
  readonly body: string;
}

export interface OnvifDeps {
  readonly call: CallService;
  readonly random: Random;
  readonly nowMs: () => number;
}

const mostProfiles = 16;

const device = 'http://www.onvif.org/ver10/device/wsdl';
const media = 'http://www.onvif.org/ver10/media/wsdl';
const schema = 'http://www.onvif.org/ver10/schema';
const security = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss';

/**
 * The streams of a camera, the best first as it orders its profiles, and a picture; as it says, unchecked.
 * @param url its device service
 * @param allowed whether a URL that it names may be called: it could name anybody's
 * @throws `auth.missing` when it wants another login; `message.malformed`, `net.unreachable`
 */
export async function streamsOf(
  deps: OnvifDeps,
  url: string,
  login: Login | undefined,
  allowed: (url: string) => boolean,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const offsetMs = login === undefined ? 0 : await clockOffsetMs(deps, url, signal);
  const ask = async (service: string, body: string) => {
    const header = login === undefined ? '' : usernameToken(login, deps.random, deps.nowMs() + offsetMs);
    return answerOf(await deps.call(service, envelope(header, body), signal));
  };
  const capabilities = await ask(
    url,
    `<GetCapabilities xmlns="${device}"><Category>Media</Category></GetCapabilities>`,
  );
  const service = elementsNamed(capabilities, 'Media').map((one) => textOf(one, 'XAddr'))[0];
  if (service === undefined || !allowed(service))
    throw new ShoalError('message.malformed', 'it names no media service at its own address');
  const profiles = profileTokens(await ask(service, `<GetProfiles xmlns="${media}"/>`));
  const found: string[] = [];
  for (const token of profiles) {
    const uri = textOf(await ask(service, streamRequest(token)), 'Uri');
    if (uri) found.push(uri);
  }
  const [first] = profiles;
  if (first !== undefined) found.push(...(await snapshotOf(ask, service, first)));
  return found;
}

type Ask = (service: string, body: string) => Promise<XmlElement>;

/** A camera need not have one (ONVIF Media §5.17). */
async function snapshotOf(ask: Ask, service: string, token: string): Promise<readonly string[]> {
  const body = `<GetSnapshotUri xmlns="${media}"><ProfileToken>${escapeXml(token)}</ProfileToken></GetSnapshotUri>`;
  const answer = await ask(service, body).catch(() => undefined);
  const uri = answer && textOf(answer, 'Uri');
  return uri ? [uri] : [];
}

function streamRequest(token: string): string {
  return [
    `<GetStreamUri xmlns="${media}"><StreamSetup>`,
    `<Stream xmlns="${schema}">RTP-Unicast</Stream><Transport xmlns="${schema}"><Protocol>RTSP</Protocol></Transport>`,
    `</StreamSetup><ProfileToken>${escapeXml(token)}</ProfileToken></GetStreamUri>`,
  ].join('');
}

/**
 * How much the camera's clock is ahead of ours: it takes a login by its own clock, which is often years off. It tells anybody
 * (ONVIF Core §8.3, access class PRE_AUTH).
 */
async function clockOffsetMs({ call, nowMs }: OnvifDeps, url: string, signal: AbortSignal): Promise<number> {
  const body = `<GetSystemDateAndTime xmlns="${device}"/>`;
  const [utc] = elementsNamed(answerOf(await call(url, envelope('', body), signal)), 'UTCDateTime');
  if (utc === undefined) return 0;
  const [year, month, day, hour, minute, second] = ['Year', 'Month', 'Day', 'Hour', 'Minute', 'Second'].map((name) =>
    Number.parseInt(textOf(utc, name) ?? '', 10),
  );
  const theirs = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  return Number.isNaN(theirs) ? 0 : theirs - nowMs();
}

/** Web Services Security UsernameToken Profile 1.1 §3.1: what is sent is a digest, never the password. */
function usernameToken({ user, password }: Login, random: Random, nowMs: number): string {
  const nonce = random.bytes(16);
  const created = instant(nowMs);
  const digest = createHash('sha1').update(nonce).update(utf8(created)).update(utf8(password)).digest('base64');
  return [
    `<Security xmlns="${security}-wssecurity-secext-1.0.xsd" e:mustUnderstand="1"><UsernameToken>`,
    `<Username>${escapeXml(user)}</Username>`,
    `<Password Type="${security}-username-token-profile-1.0#PasswordDigest">${digest}</Password>`,
    `<Nonce EncodingType="${security}-soap-message-security-1.0#Base64Binary">${Buffer.from(nonce).toString('base64')}</Nonce>`,
    `<Created xmlns="${security}-wssecurity-utility-1.0.xsd">${created}</Created></UsernameToken></Security>`,
  ].join('');
}

/** A camera may say that it is any year: what is no date is said as ours would be. */
function instant(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

function envelope(header: string, body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header>${header}</e:Header><e:Body>${body}</e:Body></e:Envelope>`;
}

/** @throws `auth.missing` for one that wants another login, `message.malformed` */
function answerOf({ status, body }: SoapAnswer): XmlElement {
  if (status === 401 || status === 403) throw wantsLogin();
  const answer = parseXml(body);
  const [fault] = elementsNamed(answer, 'Fault');
  if (fault === undefined && status === 200) return answer;
  const subcodes = fault === undefined ? [] : elementsNamed(fault, 'Value').map(({ text }) => text);
  if (subcodes.some((code) => /:(NotAuthorized|FailedAuthentication|SenderNotAuthorized)$/.test(code)))
    throw wantsLogin();
  throw new ShoalError('message.malformed', `the camera answered ${status} to a question of ONVIF`);
}

/** Which pictures it can send. @returns at most 16 */
function profileTokens(answer: XmlElement): readonly string[] {
  const tokens = elementsNamed(answer, 'Profiles').flatMap(({ attributes }) => attributes.get('token') ?? []);
  return tokens.slice(0, mostProfiles);
}

function wantsLogin(): ShoalError {
  return new ShoalError('auth.missing', 'the camera wants a login');
}
