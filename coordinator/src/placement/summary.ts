import type { Placement, PlacementCandidate, PlacementCost } from '../domain/index.ts';
import { strategies } from './strategies/index.ts';

type Term = Exclude<keyof PlacementCost, 'total'>;
type NameOf = (device: string) => string;

/** Of a placement, what its summary is made from. */
type Explained = Pick<Placement, 'strategy' | 'chosen' | 'together' | 'others'> & {
  readonly refused: { readonly length: number };
};

/** In the order in which equals are named. */
const terms: readonly Term[] = ['lateness', 'energy', 'time', 'accuracy', 'scarcity', 'decode', 'move'];
/** What speaks against the chosen one is named when it weighs so much of what speaks for it. */
const worthNaming = 0.5;

/** Why the device was chosen, in one sentence without a subject: `expected to be done in 50 ms, and chosen over gpu-box (20 ms): it takes less energy (0.4 J, not 2.1 J)`. */
export function placementSummary(placement: Explained, nameOf: NameOf): string {
  const { chosen, others, refused } = placement;
  const expected = `expected to be done in ${durationText(chosen.totalMs)}${chosen.guessed ? ', which is a guess' : ''}`;
  const rival = others.find(({ device }) => device !== chosen.device);
  if (!rival) return `${expected}, ${refused.length > 0 ? 'the only one that could take it' : 'the only device'}`;
  const over = `and chosen over ${nameOf(rival.device)} (${durationText(rival.totalMs)})`;
  return `${expected}, ${over}: ${whyOver(placement, rival)}`;
}

function whyOver({ strategy, chosen, together }: Explained, rival: PlacementCandidate): string {
  if (together) return 'it was decided on together with other work, to which what costs less is left';
  const because = strategies.find(({ name }) => name === strategy)?.because;
  if (because !== undefined) return because;
  const gains = terms
    .map((term) => ({ term, by: rival.cost[term] - chosen.cost[term] }))
    .toSorted((a, b) => b.by - a.by);
  const [most, least] = [gains[0], gains.at(-1)];
  if (!most || !least || rival.cost.total - chosen.cost.total < noDifference) return 'there it costs the same';
  const but = -least.by > worthNaming * most.by ? `, though ${against(least.term, chosen, rival)}` : '';
  return `${inFavour(most.term, chosen, rival)}${but}`;
}

/** Joules of the mains. */
const noDifference = 1e-9;

function inFavour(term: Term, chosen: PlacementCandidate, rival: PlacementCandidate): string {
  switch (term) {
    case 'lateness':
      return 'it is surer to be in time';
    case 'time':
      return 'it is done sooner';
    case 'energy':
      return chosen.energyJ < rival.energyJ
        ? `it takes less energy (${joules(chosen)}, not ${joules(rival)})`
        : 'energy costs less there now';
    case 'accuracy':
      return `its model is more accurate${accuracies(chosen, rival)}`;
    case 'scarcity':
      return 'that spares a GPU, NPU or TPU which other work may need';
    case 'decode':
      return 'it is decoded better there';
    case 'move':
      return 'it runs there already';
  }
}

function against(term: Term, chosen: PlacementCandidate, rival: PlacementCandidate): string {
  switch (term) {
    case 'lateness':
      return 'it is less sure to be in time';
    case 'time':
      return 'it is done later';
    case 'energy':
      return chosen.energyJ > rival.energyJ
        ? `it takes more energy (${joules(chosen)}, not ${joules(rival)})`
        : 'energy costs more there now';
    case 'accuracy':
      return `its model is less accurate${accuracies(chosen, rival)}`;
    case 'scarcity':
      return 'it takes time of a GPU, NPU or TPU';
    case 'decode':
      return 'it is decoded less well there';
    case 'move':
      return 'it has to move there';
  }
}

function accuracies({ accuracy: own }: PlacementCandidate, { accuracy: other }: PlacementCandidate): string {
  return own === undefined || other === undefined ? '' : ` (${own.toFixed(2)}, not ${other.toFixed(2)})`;
}

function joules({ energyJ }: PlacementCandidate): string {
  return `${Number(energyJ.toPrecision(2))} J`;
}

function durationText(ms: number): string {
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return `${(ms / 1_000).toFixed(1)} s`;
}
