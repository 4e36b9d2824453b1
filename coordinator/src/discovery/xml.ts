import { ShoalError } from '@shoal/protocol';

/** An element by its local name: prefixes are the sender's own, and the words of ONVIF mean one thing each. */
export interface XmlElement {
  readonly name: string;
  /** The character data directly in it, trimmed. */
  readonly text: string;
  /** By local name. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
}

const mostCharacters = 256 << 10;
const deepest = 64;
const mostElements = 10_000;

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

interface Open {
  readonly name: string;
  readonly qualified: string;
  readonly text: string[];
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
}

/** What stands between two pieces of text. A document type is refused wherever it stands: entities come with it. */
const markup =
  /<(?:!--.*?-->|!\[CDATA\[(?<data>.*?)\]\]>|\?.*?\?>|(?<close>\/)?(?<name>[^\s/<>!?"'=]+)(?<attributes>(?:\s+[^\s/<>"'=]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(?<empty>\/)?>)/sy;

/**
 * The root element of a document from a stranger: no document type, and no entities but the five of XML.
 * @throws `message.malformed`, `message.too-large`
 */
export function parseXml(document: string): XmlElement {
  if (document.length > mostCharacters) throw tooLarge(`${mostCharacters} characters`);
  const root = opened('');
  const open = [root];
  let elements = 0;
  for (let at = 0; at < document.length; ) {
    const top = open.at(-1) ?? root;
    const next = document.indexOf('<', at);
    const end = next < 0 ? document.length : next;
    if (end > at) top.text.push(decoded(document.slice(at, end)));
    if (next < 0) break;
    markup.lastIndex = next;
    const found = markup.exec(document);
    if (!found) throw malformed(`what begins at character ${next} is no element`);
    at = markup.lastIndex;
    const { data, close, name, attributes, empty } = found.groups ?? {};
    if (data !== undefined) top.text.push(data);
    if (name === undefined) continue;
    if (close !== undefined) {
      if (open.length < 2 || top.qualified !== name || attributes !== '' || empty !== undefined)
        throw malformed(`</${name.slice(0, 64)}> ends nothing`);
      open.pop();
      (open.at(-1) ?? root).children.push(closed(top));
      continue;
    }
    elements += 1;
    if (elements > mostElements) throw tooLarge(`${mostElements} elements`);
    if (empty !== undefined) {
      top.children.push(closed(opened(name, attributes)));
      continue;
    }
    if (open.length > deepest) throw tooLarge(`${deepest} levels`);
    open.push(opened(name, attributes));
  }
  const { children, text } = closed(root);
  const [only] = children;
  if (open.length > 1 || children.length !== 1 || only === undefined || text.replace('\ufeff', '') !== '')
    throw malformed('it is not one whole element');
  return only;
}

/** All elements of that name, at any depth, in the order of the document. */
export function elementsNamed(root: XmlElement, name: string): readonly XmlElement[] {
  return root.children.flatMap((child) => [...(child.name === name ? [child] : []), ...elementsNamed(child, name)]);
}

/** The text of the first element of that name. */
export function textOf(root: XmlElement, name: string): string | undefined {
  return elementsNamed(root, name)[0]?.text;
}

/** As character data or the value of an attribute. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.codePointAt(0)};`);
}

function opened(qualified: string, attributes = ''): Open {
  return { name: local(qualified), qualified, text: [], attributes: attributesOf(attributes), children: [] };
}

function closed({ name, text, attributes, children }: Open): XmlElement {
  return { name, text: text.join('').trim(), attributes, children };
}

function attributesOf(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/([^\s"'=]+)\s*=\s*("[^"]*"|'[^']*')/g);
  return new Map(Array.from(found, ([, name = '', value = '']) => [local(name), decoded(value.slice(1, -1))]));
}

function local(qualified: string): string {
  return qualified.slice(qualified.indexOf(':') + 1);
}

function decoded(text: string): string {
  return text.replace(/&([^;&]{0,10});?/g, (whole, name: string) => {
    const character = whole.endsWith(';') ? (entities[name] ?? numbered(name)) : undefined;
    if (character === undefined) throw malformed('it uses an entity that XML does not have');
    return character;
  });
}

function numbered(name: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(name) ?? [];
  const point = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
  const isCharacter = point > 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
  return isCharacter ? String.fromCodePoint(point) : undefined;
}

function malformed(why: string): ShoalError {
  return new ShoalError('message.malformed', `not the XML that is read here: ${why}`);
}

function tooLarge(most: string): ShoalError {
  return new ShoalError('message.too-large', `XML of more than ${most}`);
}
