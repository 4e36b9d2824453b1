// A bare server of sockets, for the floor of `connections`.
import { createServer } from 'node:net';

const server = createServer({ noDelay: true }, (socket) => socket.resume()).listen(0, '0.0.0.0', () =>
  process.stdout.write(`port ${server.address().port}\n`),
);
process.on('SIGTERM', () => process.exit(0));
