/** A resource as `/.well-known/core` tells of it (RFC 6690). */
export interface CoreLink {
  readonly path: string;
  /** Resource types: what it is. */
  readonly rt?: string;
  /** Interface: how it is used. */
  readonly if?: string;
  readonly title?: string;
  /** Content formats. */
  readonly ct?: number;
  /** It can be observed. */
  readonly obs?: boolean;
}

/** `application/link-format` (RFC 6690 §7.3). */
export const linkFormat = 40;

export function encodeLinks(links: readonly CoreLink[]): string {
  return links.map(encodeLink).join(',');
}

/**
 * Those that a query asks for: `rt=core.rd`, `href=/rd*` (RFC 6690 §4.1). One that names no attribute is passed over.
 */
export function filterLinks(links: readonly CoreLink[], queries: readonly string[]): readonly CoreLink[] {
  const filters = queries.flatMap((query) => {
    const at = query.indexOf('=');
    return at > 0 ? [{ name: query.slice(0, at), wanted: query.slice(at + 1) }] : [];
  });
  return links.filter((link) => filters.every(({ name, wanted }) => matches(link, name, wanted)));
}

function encodeLink({ path, ...attributes }: CoreLink): string {
  const { rt, if: use, title, ct, obs } = attributes;
  const parts = [
    `<${path}>`,
    ...(rt === undefined ? [] : [`rt="${rt}"`]),
    ...(use === undefined ? [] : [`if="${use}"`]),
    ...(title === undefined ? [] : [`title="${title}"`]),
    ...(ct === undefined ? [] : [`ct=${ct}`]),
    ...(obs ? ['obs'] : []),
  ];
  return parts.join(';');
}

function matches(link: CoreLink, name: string, wanted: string): boolean {
  const value = name === 'href' ? link.path : Object.entries(link).find(([key]) => key === name)?.[1];
  if (value === undefined || value === false) return false;
  // `rt` and `if` hold several words.
  const words = name === 'rt' || name === 'if' ? String(value).split(' ') : [String(value)];
  return words.some((word) => (wanted.endsWith('*') ? word.startsWith(wanted.slice(0, -1)) : word === wanted));
}
