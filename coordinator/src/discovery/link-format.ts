import { ShoalError } from '@shoal/protocol';

/** A resource, as its server tells of it (RFC 6690). */
export interface ToldResource {
  readonly path: string;
  readonly attributes: ReadonlyMap<string, string>;
}

const mostCharacters = 64 << 10;
const mostResources = 512;

const link =
  /\s*<(?<path>[^<>]*)>(?<attributes>(?:\s*;\s*[^\s;,="<>]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"<>]*))?)*)\s*(?<more>,|$)/sy;
const attribute = /;\s*(?<name>[^\s;,="]+)(?:\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<bare>[^\s;,"]*)))?/gs;

/** `application/link-format`. @throws `message.malformed`, `message.too-large` */
export function parseLinks(text: string): readonly ToldResource[] {
  if (text.length > mostCharacters) throw new ShoalError('message.too-large', `more than ${mostCharacters} characters`);
  const found: ToldResource[] = [];
  for (let at = 0; at < text.length && found.length < mostResources; ) {
    link.lastIndex = at;
    const groups = link.exec(text)?.groups;
    if (!groups) throw new ShoalError('message.malformed', `what begins at character ${at} is no link`);
    found.push({ path: groups['path'] ?? '', attributes: attributesOf(groups['attributes'] ?? '') });
    at = link.lastIndex;
  }
  return found;
}

function attributesOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    Array.from(text.matchAll(attribute), ({ groups = {} }) => [
      (groups['name'] ?? '').toLowerCase(),
      groups['quoted']?.replace(/\\(.)/gs, '$1') ?? groups['bare'] ?? '',
    ]),
  );
}

/** `image/gif`, `image/jpeg`, `image/png` (RFC 7252 §12.3, registry of content formats), `image/svg+xml`. */
const imageFormats = new Set(['21', '22', '23', '30000']);

/** Whether it gives pictures: by its content format, or by what it calls itself. */
export function givesPictures({ attributes }: ToldResource): boolean {
  const words = (name: string) => attributes.get(name)?.split(/\s+/) ?? [];
  return (
    words('ct').some((format) => imageFormats.has(format)) ||
    words('rt').some((type) => /(^|[.:_-])(image|camera|jpe?g|snapshot)($|[.:_-])/i.test(type))
  );
}
