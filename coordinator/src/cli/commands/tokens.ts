import { decodeJoinToken } from '@shoal/protocol';
import { renderUnicodeCompact } from 'uqr';
import type { Context } from '../context.ts';
import { dayText, printable, table } from '../output/index.ts';

export interface NewToken {
  readonly uses: number;
  readonly lifetimeMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly approve: boolean;
}

/** The word alone goes to standard output, so that a script can take it. @param qr left out: on a terminal */
export async function createToken(context: Context, token: NewToken, qr?: boolean): Promise<void> {
  type Answer = { id: string; word: string; expiresAt: string };
  const { id, word, expiresAt } = await context.api.call<Answer>('POST', '/v1/tokens', { json: token });
  const devices = token.uses === 1 ? 'one device' : `${token.uses} devices`;
  context.show({ id, word, expiresAt }, () => {
    const { stderr } = context.world;
    stderr.write(`For ${devices}, until ${dayText(expiresAt)}. On the device: shoal-agent join TOKEN\n`);
    if (token.approve) stderr.write('It waits there until you approve it: shoal devices approve NAME\n');
    stderr.write(`${reachText(decodeJoinToken(word).addresses)}\n`);
    if (qr ?? stderr.isTTY) stderr.write(`${qrText(word, stderr.columns)}\n`);
    return word;
  });
}

/** Where a device will look for the coordinator: a token that leads nowhere from other machines says so. */
function reachText(addresses: readonly string[]): string {
  const isHere = (address: string) => /^(127\.|localhost$|\[::1\]$)/.test(URL.parse(address)?.hostname ?? '');
  if (addresses.every(isHere)) {
    return `It works on this machine only: the broker listens at ${addresses.join(', ')}. For other devices: shoal coordinator`;
  }
  return `Devices reach this coordinator at ${addresses.filter((address) => !isHere(address)).join(', ')}`;
}

/** For the camera of a phone: light modules are drawn, as terminals are dark. */
function qrText(word: string, columns = Number.POSITIVE_INFINITY): string {
  const code = renderUnicodeCompact(word, { ecc: 'L', border: 2 });
  const width = code.indexOf('\n');
  return width <= columns ? code : `The QR code needs a terminal of ${width} columns; this one has ${columns}.`;
}

interface Token {
  readonly id: string;
  readonly expiresAt: string;
  readonly usesLeft: number;
  readonly approve: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

export async function listTokens(context: Context): Promise<void> {
  type Answer = { items: Token[] };
  const { items } = await context.api.call<Answer>('GET', '/v1/tokens');
  context.show(items, () =>
    items.length === 0
      ? 'No tokens. Make one: shoal token create'
      : table(
          items,
          [
            { title: 'ID', value: ({ id }) => id },
            { title: 'USES LEFT', value: ({ usesLeft }) => String(usesLeft), align: 'right' },
            { title: 'UNTIL', value: ({ expiresAt }) => dayText(expiresAt) },
            { title: 'LABELS', value: ({ labels }) => labelsText(labels) },
            { title: 'APPROVAL', value: ({ approve }) => (approve ? 'asked for' : '-') },
          ],
          context.paint,
        ),
  );
}

/** @param word the id of the token, or the token itself */
export async function revokeToken(context: Context, word: string): Promise<void> {
  // What stands in the address of a request is no secret.
  const id = word.startsWith('shoal1_') ? decodeJoinToken(word).tokenId : word;
  await context.api.call('DELETE', `/v1/tokens/${encodeURIComponent(id)}`);
  context.show({ id, revoked: true }, () => `${id} is revoked. Devices that joined with it stay.`);
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const words = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return printable(words.join(' ')) || '-';
}
