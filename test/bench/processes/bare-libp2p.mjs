// Bare libp2p for the floor of `models-p2p`: `bare-libp2p.mjs listen` counts what comes, `bare-libp2p.mjs send ADDRESS BYTES` sends so much on one stream and
// prints how long it took until the other had all of it.
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';

const protocol = '/bare/1';
const [command, address, bytes] = process.argv.slice(2);
const node = await createLibp2p({
  addresses: { listen: command === 'listen' ? ['/ip4/127.0.0.1/tcp/0'] : [] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
});
process.on('disconnect', () => process.exit());

if (command === 'listen') {
  await node.handle(protocol, async (stream) => {
    for await (const _ of stream);
    stream.send(Uint8Array.of(1));
    await stream.close();
  });
  console.log(`at ${node.getMultiaddrs()[0]}`);
} else {
  const connection = await node.dial(multiaddr(address));
  process.on('message', async () => {
    const stream = await connection.newStream(protocol);
    const chunk = new Uint8Array(64 * 1024);
    const startedMs = performance.now();
    for (let sent = 0; sent < Number(bytes); sent += chunk.length) {
      if (!stream.send(chunk)) await stream.onDrain();
    }
    const answered = (async () => {
      for await (const _ of stream);
    })();
    await stream.close();
    await answered;
    process.send({ ms: performance.now() - startedMs });
  });
  console.log('ready');
}
