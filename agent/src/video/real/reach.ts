import { connect } from 'node:net';
import { redactSource, ShoalError, schemeOfSource } from '@shoal/protocol';

/** Ports of the schemes that are spoken over TCP. */
const ports: ReadonlyMap<string, number> = new Map([
  ['rtsp', 554],
  ['rtsps', 322],
  ['rtmp', 1935],
  ['rtmps', 443],
  ['http', 80],
  ['https', 443],
]);
const patienceMs = 3_000;

/**
 * Resolves when somebody listens where the source is: asked before ffmpeg is started, which takes a thousand times as much, so that a camera that is
 * away can be asked for often. Sources without an address of this kind are let through.
 * @throws `source.unreadable`
 */
export async function reach(source: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const usual = ports.get(schemeOfSource(source));
  const url = URL.parse(source);
  if (usual === undefined || !url?.hostname) return;
  const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || usual });
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (words: string) =>
        reject(
          new ShoalError('source.unreadable', `${redactSource(source)}: ${words}`, { lasting: false, away: true }),
        );
      socket.once('connect', resolve);
      socket.once('error', (error: NodeJS.ErrnoException) => fail(wordsOf(error)));
      socket.setTimeout(patienceMs, () => fail('the camera does not answer'));
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  } finally {
    socket.destroy();
  }
}

function wordsOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nobody listens at this address and port';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'the camera’s network cannot be reached';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is not known';
    default:
      return message;
  }
}
