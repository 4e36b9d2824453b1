import type { Socket } from 'node:net';
import type { KeepaliveManager } from 'mqtt';
import { type Clock, every } from '../../runtime/index.ts';

type Timer = Exclude<ConstructorParameters<typeof KeepaliveManager>[1], string>;

/** Calls of MQTT.js's keep-alive, half of the keep-alive time apart: it does nothing at the first, asks at the second, gives up at the third. */
const callsBeforeItGivesUp = 2;

/** So many of these times in a row must have passed without a single byte before it is let give up. */
const quietTimes = 4;

/**
 * The timer of MQTT.js's keep-alive, on our clock and with patience. By itself it gives up when an answer takes half of the keep-alive time,
 * whatever else comes meanwhile; but on a slow line the question waits behind a large frame, or the answer does.
 */
export function keepAliveTimer(clock: Clock, socket: Socket): Timer {
  let cancel = () => {};
  return {
    set(call, everyMs = 0) {
      let calls = 0;
      let quiet = 0;
      let seenBytes = socket.bytesRead;
      cancel = every(clock, 'mqtt: keep alive', everyMs, () => {
        quiet = socket.bytesRead === seenBytes ? quiet + 1 : 0;
        seenBytes = socket.bytesRead;
        if (calls++ < callsBeforeItGivesUp || quiet >= quietTimes) call();
      });
      // There is only one at a time: it needs no number of its own.
      return 1;
    },
    clear: () => cancel(),
  };
}
