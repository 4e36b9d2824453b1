import { type Duplex, Readable } from 'node:stream';
import { asShoalError } from '../../errors/index.ts';
import { PacketFramer, type PacketLimits } from './packet-framer.ts';

/**
 * Lets whoever reads from this socket see whole packets of an allowed size only, and cuts the connection at the first other one. Parsers of MQTT
 * collect the 256 MB that a packet may announce; here the length is looked at before any of it is kept.
 *
 * It stands where the socket puts what it received (`Readable.push`): a stream in between would cost every frame another hop.
 */
export function guardPackets(socket: Duplex, limits: PacketLimits): void {
  (socket as Guarded)[framer] = new PacketFramer(limits);
  socket.push = pushWholePackets;
}

const framer = Symbol('framer');

interface Guarded extends Duplex {
  [framer]: PacketFramer;
}

/** One for all of them: a broker guards very many. */
function pushWholePackets(this: Duplex, chunk: Buffer | null): boolean {
  if (chunk === null) return push.call(this, null);
  try {
    const whole = (this as Guarded)[framer].push(chunk);
    return whole.length > 0 ? push.call(this, whole) : true;
  } catch (error) {
    this.destroy(asShoalError(error, 'message.malformed'));
    return false;
  }
}

const { push } = Readable.prototype;
