import {
  absoluteFigure,
  type Bench,
  cpuMs,
  type Figure,
  interleave,
  median,
  type Report,
  ratioFigure,
  timed,
} from '../harness.ts';
import { coapCommands, coapRoundTrips } from '../links/coap.ts';
import { libp2pRoundTrips, type RoundTrips } from '../links/libp2p.ts';
import { mqttRoundTrips, openMqttEnds } from '../links/mqtt.ts';
import { SignedMessages, signatureMs } from '../links/signed-messages.ts';

/** Each with what it stands on as its floor. */
const kinds: Readonly<Record<string, () => Promise<RoundTrips>>> = {
  'mqtt round trip': mqttRoundTrips,
  'coap round trip': coapRoundTrips,
  'coap command and answer': coapCommands,
  'libp2p round trip': libp2pRoundTrips,
};

/** A message of the size of telemetry. */
const payload = new Uint8Array(512);
const rounds = 20;
const requestsPerRound = 500;
const telemetryPerRound = 20_000;

export const linksBench: Bench = {
  name: 'links',
  title: 'request and response over each link, beside the bare library',
  async run(report) {
    const figures: Figure[] = [];
    for (const [kind, open] of Object.entries(kinds)) {
      const trips = await open();
      // Each alone: what the one before has left to do, which the next could go with, is done by then.
      const many = (one: (payload: Uint8Array) => Promise<void>) => async () => {
        let ms = 0;
        for (let request = 0; request < requestsPerRound; request++) {
          ms += await timed(() => one(payload));
          await quiet();
        }
        return ms / requestsPerRound;
      };
      const samples = await interleave(rounds, { bare: many(trips.bare), link: many(trips.link) });
      await trips.close();
      report.noise(`${kind}, the bare library`, samples.bare);
      figures.push(ratioFigure(kind, 'ms', median(samples.link), median(samples.bare), { atMost: 1.5 }));
    }
    figures.push(await signedTelemetry(report));
    return figures;
  },
};

/** Three turns, in which all that has arrived is read and answered. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What signatures cost on top of a link, and what batches save of it: device, broker and coordinator share one core. */
async function signedTelemetry(report: Report): Promise<Figure> {
  const ends = await openMqttEnds();
  const messages = await SignedMessages.open(ends);
  const { signMs, verifyMs } = signatureMs(ends);
  const samples = await interleave(rounds, {
    requests: async () => {
      const ms = await timed(async () => {
        for (let request = 0; request < requestsPerRound; request++) await messages.ask();
      });
      return ms / requestsPerRound;
    },
    perSecond: async () => {
      const beforeMs = cpuMs();
      const wallMs = await timed(() => messages.say(telemetryPerRound));
      // More than one core's time in a second would flatter it: garbage is collected beside.
      return (telemetryPerRound / Math.max(wallMs, cpuMs() - beforeMs)) * 1000;
    },
  });
  await messages.close();
  const signaturesMs = 2 * (signMs + verifyMs);
  const rest = median(samples.requests) - signaturesMs;
  report.line(
    `mqtt, a signed request and its signed answer: ${median(samples.requests).toFixed(3)} ms, of which 2 signatures (${signMs.toFixed(3)} ms each) and 2 verifications (${verifyMs.toFixed(3)}) are ${signaturesMs.toFixed(3)}; without them ${rest.toFixed(3)}`,
  );
  return absoluteFigure('mqtt, signed telemetry one way', 'messages/s', median(samples.perSecond), { atLeast: 8_000 });
}
