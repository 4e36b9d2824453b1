// Bare libp2p for the floor of `models-p2p`: `bare-libp2p.mjs seed BYTES` sends so much on each stream that is opened, `bare-libp2p.mjs fetch ADDRESS` has it
// once for each message over its channel, and answers when all of it is there.
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';

const protocol = '/bare/1';
const [command, argument] = process.argv.slice(2);
const node = await createLibp2p({
  addresses: { listen: command === 'seed' ? ['/ip4/127.0.0.1/tcp/0'] : [] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionManager: { inboundConnectionThreshold: 1_000, inboundStreamProtocolNegotiationTimeout: 120_000 },
});
process.on('disconnect', () => process.exit());

if (command === 'seed') {
  const chunk = new Uint8Array(64 * 1024);
  await node.handle(protocol, async (stream) => {
    for (let sent = 0; sent < Number(argument); sent += chunk.length) {
      if (!stream.send(chunk)) await stream.onDrain();
    }
    await stream.close();
  });
  process.send({ address: String(node.getMultiaddrs()[0]) });
} else {
  const connection = await node.dial(multiaddr(argument));
  process.on('message', async () => {
    // On a busy machine the first of ten streams is there before the last is open.
    const stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(120_000) });
    let bytes = 0;
    for await (const data of stream) bytes += data.byteLength;
    await stream.close();
    process.send({ bytes });
  });
  process.send({});
}
