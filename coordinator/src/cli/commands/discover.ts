import { pushSource, ShoalError, schemeOfSource, sourceSchemes } from '@shoal/protocol';
import type { FoundCamera } from '../../http/index.ts';
import type { Context } from '../context.ts';
import { type Paint, printable, shortened, table } from '../output/index.ts';

export interface DiscoverOptions {
  readonly login?: string;
  readonly seconds?: number;
}

const passwordVariable = 'SHOAL_CAMERA_PASSWORD';

/** Says which cameras are on the coordinator's network, and how each is added. */
export async function discoverCameras(context: Context, { login: user, seconds }: DiscoverOptions): Promise<void> {
  const login = user === undefined ? undefined : { user, password: await passwordOf(user, context) };
  const { items } = await context.api.call<{ items: FoundCamera[] }>('POST', '/v1/cameras/discover', {
    json: { ...(seconds !== undefined && { seconds }), ...(login && { login }) },
    signal: context.world.interrupted,
  });
  context.show(items, () => foundText(items, user, context.paint));
}

async function passwordOf(user: string, { world }: Context): Promise<string> {
  const told = world.env[passwordVariable];
  if (told !== undefined) return told;
  if (world.askSecret) return world.askSecret(`Password of ${printable(user)} at the cameras: `);
  throw new ShoalError('input.invalid', `no terminal to ask for the password: set ${passwordVariable}`, {
    field: 'login',
  });
}

function foundText(items: readonly FoundCamera[], user: string | undefined, paint: Paint): string {
  if (items.length === 0)
    return 'No camera answered. One that does not announce itself is added by its URL: shoal cameras add rtsp://HOST/STREAM';
  const rows = table(
    items,
    [
      { title: 'NAME', value: ({ name }) => shortened(printable(name)) },
      { title: 'HARDWARE', value: ({ hardware }) => shortened(printable(hardware ?? '-')) },
      { title: 'ADDRESS', value: ({ address }) => printable(address) },
      { title: 'VIA', value: ({ via }) => via },
      { title: 'SOURCE', value: ({ sources, reason }) => shortened(printable(sources[0] ?? reason ?? '-')) },
      { title: 'KNOWN', value: ({ known }) => paint('dim', printable(known ?? '-')) },
    ],
    paint,
  );
  const commands = items.flatMap((item) => (item.known === undefined ? [howToAdd(item, user)] : []));
  return commands.length === 0 ? rows : `${rows}\n\n${commands.join('\n')}`;
}

/** What a person can copy. The password is for them to fill in: what is printed is kept by terminals and logs. */
function howToAdd({ name, address, sources, reason, via }: FoundCamera, user: string | undefined): string {
  const source = sources.find((one) => sourceSchemes.has(schemeOfSource(one)));
  const called = `--name ${quoted(name)}`;
  if (source !== undefined) {
    const whole = user === undefined ? source : source.replace('://', `://${encodeURIComponent(user)}:PASSWORD@`);
    return `shoal cameras add ${quoted(whole)} ${called}`;
  }
  if (via === 'coap') return `shoal cameras add ${pushSource} ${called}   # Shoal does not fetch by CoAP: let it send`;
  return `# ${printable(`${name} (${address})`)}: ${printable(reason ?? 'it tells of no stream')}`;
}

/** A word of a shell. It came from a stranger. */
function quoted(word: string): string {
  const shown = printable(word);
  return /^[\w@%+=:,./-]+$/.test(shown) && !shown.startsWith('-') ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}
