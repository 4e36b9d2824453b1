import type { Duplex } from 'node:stream';
import { asShoalError } from '../../errors/index.ts';
import { PacketFramer, type PacketLimits } from './packet-framer.ts';

/**
 * Lets whoever reads from this socket see whole packets of an allowed size only, and cuts the connection at the first other one. Parsers of MQTT
 * collect the 256 MB that a packet may announce; here the length is looked at before any of it is kept.
 *
 * It stands where the socket puts what it received (`Readable.push`): a stream in between would cost every frame another hop.
 */
export function guardPackets(socket: Duplex, limits: PacketLimits): void {
  const framer = new PacketFramer(limits);
  const push = socket.push.bind(socket);
  socket.push = (chunk: Buffer | null) => {
    if (chunk === null) return push(null);
    try {
      const whole = framer.push(chunk);
      return whole.length > 0 ? push(whole) : true;
    } catch (error) {
      socket.destroy(asShoalError(error, 'message.malformed'));
      return false;
    }
  };
}
