import type { PeerId } from '../identity/index.ts';
import { PieceSet } from './piece-set.ts';

/** One who has pieces of the file, as the plan sees it. */
export interface Holder {
  readonly peer: PeerId;
  readonly has: PieceSet;
  readonly sparing: boolean;
  /** It was asked for pieces and has sent none for long. */
  readonly isLate: boolean;
  /** What it was asked for last. */
  readonly ordered: PieceSet;
  /** Most pieces that are ordered of it at a time. */
  readonly window: number;
}

/**
 * Who is to be asked for which pieces now. A piece is asked for once, of a holder that is not late: of those who pass on what they have, the rarest pieces
 * first. Who wants to be spared is asked for what nobody else has, and for all of that, since it knows best which piece it has sent least.
 * @param missing what is neither here nor being written
 * @param rank breaks ties between equally rare pieces: another order on each device
 */
export function planOrders(
  missing: PieceSet,
  holders: readonly Holder[],
  rank: (index: number) => number,
): ReadonlyMap<PeerId, PieceSet> {
  const orders = new Map<PeerId, PieceSet>(holders.map(({ peer }) => [peer, new PieceSet(missing.count)]));
  const givers = holders.filter(({ sparing }) => !sparing);
  const taken = keepOrders(missing, givers, orders);
  const open = openPieces(missing, taken, givers);
  orderRarest(open.common, givers, orders, rank);
  orderRest(
    open.rest,
    holders.filter(({ sparing }) => sparing),
    orders,
  );
  return orders;
}

type Orders = ReadonlyMap<PeerId, PieceSet>;

/** What was ordered stays ordered. @returns the pieces that are on their way by that, as far as one can tell */
function keepOrders(missing: PieceSet, givers: readonly Holder[], orders: Orders): PieceSet {
  const taken = new PieceSet(missing.count);
  for (const giver of givers) {
    for (const index of giver.ordered) {
      if (!missing.has(index) || !giver.has.has(index)) continue;
      orders.get(giver.peer)?.add(index);
      if (!giver.isLate) taken.add(index);
    }
  }
  return taken;
}

interface OpenPiece {
  readonly index: number;
  readonly holders: number;
}

function openPieces(missing: PieceSet, taken: PieceSet, givers: readonly Holder[]) {
  const common: OpenPiece[] = [];
  const rest: number[] = [];
  for (const index of missing) {
    if (taken.has(index)) continue;
    const holders = givers.filter(({ isLate, has }) => !isLate && has.has(index)).length;
    if (holders > 0) common.push({ index, holders });
    else rest.push(index);
  }
  return { common, rest };
}

/** A piece that finds nobody with room waits: it will be asked for when there is. */
function orderRarest(
  pieces: readonly OpenPiece[],
  givers: readonly Holder[],
  orders: Orders,
  rank: (index: number) => number,
): void {
  let room = givers.filter(({ isLate, peer, window }) => !isLate && sizeOf(orders, peer) < window);
  for (const { index } of pieces.toSorted((a, b) => a.holders - b.holders || rank(a.index) - rank(b.index))) {
    if (room.length === 0) return;
    const [giver] = room
      .filter(({ has }) => has.has(index))
      .sort((a, b) => sizeOf(orders, a.peer) - sizeOf(orders, b.peer));
    if (!giver) continue;
    orders.get(giver.peer)?.add(index);
    room = room.filter(({ peer, window }) => sizeOf(orders, peer) < window);
  }
}

function orderRest(pieces: readonly number[], sparing: readonly Holder[], orders: Orders): void {
  for (const index of pieces) {
    const able = sparing.filter(({ has }) => has.has(index));
    const inTime = able.filter(({ isLate }) => !isLate);
    const candidates = inTime.length > 0 ? inTime : able;
    const chosen = candidates[index % Math.max(1, candidates.length)];
    if (chosen) orders.get(chosen.peer)?.add(index);
  }
}

function sizeOf(orders: Orders, peer: PeerId): number {
  return orders.get(peer)?.size ?? 0;
}
