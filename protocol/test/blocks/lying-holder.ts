import { BlocksReply, BlocksRequest, leafHash, MerkleTree } from '@shoal/protocol';
import type { BlockChannel } from '@shoal/protocol/blocks';
import type { Member } from './swarm.ts';

export type Lie =
  | 'wrong-pieces'
  /** All of it fits together, and is not the file. */
  | 'another-file'
  | 'false-list'
  | 'unasked-list'
  | 'unasked-pieces'
  | 'too-many-pieces'
  | 'nonsense'
  | 'silence';

const pieceBytes = 64 * 1024;

/** One who speaks the protocol and lies. Counts how often it was asked for a file. */
export function lyingHolder(member: Member, bytes: Uint8Array, lie: Lie): { times: number } {
  const asked = { times: 0 };
  member.subscribe({
    onPeer: () => {},
    onChannel(channel) {
      asked.times += 1;
      serve(channel, bytes, lie);
    },
  });
  return asked;
}

function serve(channel: BlockChannel, bytes: Uint8Array, lie: Lie): void {
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) =>
    bytes.slice(i * pieceBytes, (i + 1) * pieceBytes),
  );
  const sent = new Set<number>();
  const hashes = pieces.map(leafHash);
  const { root } = new MerkleTree(hashes);
  const say = (reply: Parameters<typeof BlocksReply.encode>[0]) => {
    channel.send(BlocksReply.encode(reply)).catch(() => {});
  };
  const sayPiece = (index: number) => {
    const piece = pieces[index]?.slice() ?? new Uint8Array(5);
    sent.add(index);
    if (lie === 'wrong-pieces') piece[0] = (piece[0] ?? 0) ^ 1;
    say({ piece: { index, bytes: piece } });
  };
  const onRequest: Record<Lie, (pieces: readonly number[]) => void> = {
    'wrong-pieces': (wanted) => wanted.forEach(sayPiece),
    'another-file': (wanted) => {
      for (const index of wanted) if (!sent.has(index)) sayPiece(index);
    },
    'false-list': () => {},
    'unasked-list': () => say({ list: { hashes: Buffer.concat(hashes) } }),
    'unasked-pieces': () => sayPiece(100_000),
    'too-many-pieces': ([first = 0]) => [first, first, first].forEach(sayPiece),
    nonsense: () => say({}),
    silence: () => {},
  };
  channel.listen({
    onEnd: () => {},
    onFrame(parts) {
      const { file, list, order } = BlocksRequest.decode(Buffer.concat(parts));
      // A root of its own, so that it is asked for its list.
      const claimed = lie === 'false-list' ? leafHash(root) : root;
      if (file) say({ holdings: { root: claimed, whole: true } });
      if (list) say({ list: { hashes: Buffer.concat(hashes) } });
      if (order) {
        const wanted = [...order.pieces].flatMap((byte, at) =>
          Array.from({ length: 8 }, (_, bit) => at * 8 + bit).filter((index) => (byte & (1 << (index & 7))) !== 0),
        );
        onRequest[lie](wanted.slice(0, order.allowed - sent.size));
      }
    },
  });
}
