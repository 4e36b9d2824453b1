// Very many connections that say nothing more once they are open: the floor of `connections`. On `mqtt` each says CONNECT and SUBSCRIBE (MQTT 3.1.1 §3.1,
// §3.8), on `tcp` nothing. Prints `open` when all are.
import { once } from 'node:events';
import { connect } from 'node:net';

const [kind, host, port, count] = process.argv.slice(2);
/** That are opened at the same time. */
const lanes = 50;

const text = (word) => Buffer.concat([Buffer.from([0, word.length]), Buffer.from(word)]);
const packet = (type, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([type, body.length]), body]);
};

async function open(number) {
  const socket = connect({ host, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  if (kind === 'tcp') return;
  const id = `dev_${host.replaceAll('.', '')}${String(number).padStart(16, '0')}`;
  // Clean session, no keep-alive; then one filter of its own.
  socket.write(packet(0x10, text('MQTT'), Buffer.from([4, 2, 0, 0]), text(id)));
  await once(socket, 'data');
  socket.write(packet(0x82, Buffer.from([0, 1]), text(`shoal/d/${id}/down`), Buffer.from([0])));
  await once(socket, 'data');
}

let next = 0;
const lane = async () => {
  while (next < Number(count)) await open(next++);
};
await Promise.all(Array.from({ length: lanes }, lane));
process.stdout.write('open\n');
process.on('SIGTERM', () => process.exit(0));
