import { MemoryHub, Messenger, newIdentity, type SealPolicy, silentLogger } from '@shoal/protocol';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import { MemorySequenceStore } from '@shoal/protocol/testing';
import { type Bench, cpuMs, type Figure, interleave, median, ratioFigure } from '../harness.ts';

const rounds = 20;
/** A message of the size of telemetry, one with a picture that goes along with a task, and as many as share an envelope. */
const loads = [
  { name: 'a message', requests: 300, together: 1, attachments: [] },
  { name: 'a picture of 200 KB', requests: 100, together: 1, attachments: [new Uint8Array(200_000)] },
  { name: '256 messages in one envelope', requests: 20, together: 256, attachments: [] },
] as const;

const policies: Readonly<Record<'bare' | 'open' | 'sealed', SealPolicy | undefined>> = {
  bare: undefined,
  open: { random: systemRandom, required: false },
  sealed: { random: systemRandom, required: true },
};

export const sealingBench: Bench = {
  name: 'sealing',
  title:
    'processor time of request and response between two messengers in one process: sealed, and not sealed where it could be, beside no sealing at all',
  async run(report) {
    const figures: Figure[] = [];
    for (const { name, ...load } of loads) {
      const pairs = {
        bare: await aPair(policies.bare),
        open: await aPair(policies.open),
        sealed: await aPair(policies.sealed),
      };
      const many = (pair: Pair) => () => processorMsPerRequest(pair, load);
      const samples = await interleave(rounds, {
        bare: many(pairs.bare),
        open: many(pairs.open),
        sealed: many(pairs.sealed),
      });
      report.noise(`${name}, no sealing`, samples.bare);
      const floor = median(samples.bare);
      figures.push(ratioFigure(`${name}, not sealed`, 'ms', median(samples.open), floor, { atMost: 1.05 }));
      figures.push(ratioFigure(`${name}, sealed`, 'ms', median(samples.sealed), floor, { atMost: 1.75 }));
      await Promise.all(Object.values(pairs).map(({ stop }) => stop()));
    }
    return figures;
  },
};

type Pair = Awaited<ReturnType<typeof aPair>>;

async function processorMsPerRequest(
  { device, coordinator }: Pair,
  { requests, together, attachments }: Omit<(typeof loads)[number], 'name'>,
): Promise<number> {
  const telemetry = { cpuLoad: 0.5, loadedModels: ['x'.repeat(480)] };
  const ask = () => device.request(coordinator, { telemetry }, { timeoutMs: 60_000, attachments });
  const startMs = cpuMs();
  for (let request = 0; request < requests; request++) await Promise.all(Array.from({ length: together }, ask));
  return (cpuMs() - startMs) / requests / together;
}

/** A device and a coordinator over a link that costs next to nothing. */
async function aPair(seal: SealPolicy | undefined) {
  const hub = new MemoryHub(systemClock);
  const identities = [newIdentity('device', systemRandom), newIdentity('coordinator', systemRandom)] as const;
  const keyOf = (id: string) => identities.find((identity) => identity.id === id);
  const never = new AbortController().signal;
  const start = async (identity: (typeof identities)[number]) => {
    const link = hub.link(identity.id);
    const messenger = new Messenger({
      ...{ identity, link, peers: { keyOf }, sequences: new MemorySequenceStore() },
      ...{ clock: systemClock, logger: silentLogger, ...(seal && { seal }) },
    });
    // Answered with something: a bare acknowledgement would wait for company.
    messenger.handle(() => ({ payload: { welcome: { deviceName: 'pi' } } }));
    await link.start(never);
    await messenger.start(never);
    return { messenger, link };
  };
  const [device, coordinator] = [await start(identities[0]), await start(identities[1])];
  const stop = async () => {
    for (const { messenger, link } of [device, coordinator]) {
      await messenger.stop();
      await link.stop();
    }
  };
  return { device: device.messenger, coordinator: identities[1].id, stop };
}
