const mask = '***';

/** A query parameter that carries a secret at cameras and streaming services: what stands before its value, and the value. */
const secretParameter =
  /([?&;](?:[^?&;=#]*(?:pass|pwd|token|secret|key|auth|credential|signature)[^?&;=#]*|user|username|login|sig|p)=)([^&#]*)/gi;

/** A camera's source as it may be logged and shown: without user, password and tokens. Shown again it stays the same. */
export function redactSource(source: string): string {
  return source.replace(userInfo(source), `$1${mask}@`).replace(secretParameter, `$1${mask}`);
}

/** Takes the source's secrets, however they are spelled, out of what another program says about it. */
export function redactText(text: string, source: string): string {
  const shown = text.replaceAll(source, redactSource(source));
  return secretsOf(source).reduce((rest, secret) => rest.replaceAll(secret, mask), shown);
}

/** Up to the last @ before the path: a password may hold one. What is no URL that can be parsed loses all before its last @. */
function userInfo(source: string): RegExp {
  return URL.canParse(source) ? /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@/i : /^([a-z][a-z0-9+.-]*:\/\/)(.*)@/is;
}

/** The longest first, so that none is taken out in part. */
function secretsOf(source: string): readonly string[] {
  const found = Array.from(source.matchAll(secretParameter), ([, , value = '']) => value);
  const [, , login] = userInfo(source).exec(source) ?? [];
  if (login !== undefined) found.push(login, login.slice(login.indexOf(':') + 1));
  const spellings = found.flatMap((secret) => [secret, decoded(secret), encodeURIComponent(decoded(secret))]);
  return [...new Set(spellings)].filter((secret) => secret.length > 0).sort((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
