import { type Bench, type Figure, interleave, median, ratioFigure, timed } from '../harness.ts';
import { libp2pRoundTrips, type RoundTrips } from '../links/libp2p.ts';

/** Each with what it stands on as its floor. */
const kinds: Readonly<Record<string, () => Promise<RoundTrips>>> = { libp2p: libp2pRoundTrips };

/** A message of the size of telemetry. */
const payload = new Uint8Array(512);
const rounds = 20;
const requestsPerRound = 500;

export const linksBench: Bench = {
  name: 'links',
  title: 'request and response over each link, beside the bare library',
  async run(report) {
    const figures: Figure[] = [];
    for (const [kind, open] of Object.entries(kinds)) {
      const trips = await open();
      const many = (one: (payload: Uint8Array) => Promise<void>) => async () => {
        const ms = await timed(async () => {
          for (let request = 0; request < requestsPerRound; request++) await one(payload);
        });
        return ms / requestsPerRound;
      };
      const samples = await interleave(rounds, { bare: many(trips.bare), link: many(trips.link) });
      await trips.close();
      report.noise(`${kind}, the bare library`, samples.bare);
      figures.push(
        ratioFigure(`${kind} round trip`, 'ms', median(samples.link), median(samples.bare), { atMost: 1.5 }),
      );
    }
    return figures;
  },
};
