import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import {
  type ApiClient,
  type CameraAnswer as Camera,
  cameraTrouble,
  type DeviceAnswer as Device,
  type ResultAnswer as Result,
  resultSummary,
} from '@shoal/coordinator';
import { isShoalError } from '@shoal/protocol';

/** A line when what is seen changes, at most one a second; and one now and then when it does not, to show that all is well. */
const leastGapMs = 1_000;
const longestSilenceMs = 10_000;

const troublesEveryMs = 1_000;

const dim = (text: string) => styleText('dim', text, { stream: process.stdout });
const bold = (text: string) => styleText('bold', text, { stream: process.stdout });

/** Prints what the camera sees, or why it sees nothing, until it is told to end. */
export async function followCamera(api: ApiClient, camera: Camera, signal: AbortSignal): Promise<void> {
  await Promise.all([followResults(api, camera, signal), followTroubles(api, camera, signal)]);
}

/** A line for each new reason why nothing is seen. Ends when the camera is removed, which the fleet survives. */
async function followTroubles(api: ApiClient, { id, name }: Camera, signal: AbortSignal): Promise<void> {
  for (let last = ''; ; await sleep(troublesEveryMs, undefined, { signal })) {
    const camera = await findCamera(api, id, signal);
    const trouble = camera ? cameraTrouble(camera) : `${name} was removed`;
    if (trouble !== '' && trouble !== last) console.log(`${dim(clock(new Date()))}  ${trouble}`);
    if (!camera) return;
    last = trouble;
  }
}

async function findCamera(api: ApiClient, id: string, signal: AbortSignal): Promise<Camera | undefined> {
  try {
    return await api.call<Camera>('GET', `/v1/cameras/${id}`, { signal });
  } catch (error) {
    if (isShoalError(error, 'not-found')) return undefined;
    throw error;
  }
}

async function followResults(api: ApiClient, camera: Camera, signal: AbortSignal): Promise<void> {
  let printedAtMs = Number.NEGATIVE_INFINITY;
  let printed = '';
  const names = new Map<string, string>();
  for await (const { event, data } of api.events(`/v1/cameras/${camera.id}/events`, signal)) {
    if (event !== 'result') continue;
    const result = data as Result;
    const seen = resultSummary(result.analysis);
    const silenceMs = performance.now() - printedAtMs;
    if (silenceMs < leastGapMs || (seen === printed && silenceMs < longestSilenceMs)) continue;
    if (!names.has(result.device))
      names.set(result.device, (await api.call<Device>('GET', `/v1/devices/${result.device}`)).name);
    const latency = latencyText(await findCamera(api, camera.id, signal));
    const place = names.get(result.device) ?? result.device;
    console.log(
      `${dim(clock(new Date(result.receivedAt)))}  ${basename(camera.name)}  ${bold(seen)}  ${dim(`${latency}on ${place}`)}`,
    );
    printed = seen;
    printedAtMs = performance.now();
  }
}

/** `38 ms `, from picture decoded to result made; empty while the device has not said. */
function latencyText(camera: Camera | undefined): string {
  const ms = camera?.status?.latencyP50Ms ?? 0;
  return ms > 0 ? `${ms.toFixed(0)} ms  ` : '';
}

/** What a device is and measured about itself. */
export function deviceLines({ name, capability: has, profiles }: Device): string[] {
  const machine = has.board || has.cpuModel || 'unknown machine';
  const accelerators = has.accelerators.map(({ name: accelerator }) => `, ${accelerator}`).join('');
  const head = `${bold(name)}  ${machine}, ${has.cores} cores, ${(has.memoryBytes / 1e9).toFixed(1)} GB${accelerators}`;
  const measured = profiles.map(
    ({ model, variant, p50Ms, p95Ms, energyMj }) =>
      `  ${model} ${variant}: ${p50Ms.toFixed(0)} ms a picture ${dim(`(95 %: ${p95Ms.toFixed(0)} ms${energyMj === undefined ? '' : `, ${energyMj.toFixed(0)} mJ`})`)}`,
  );
  return [head, ...(measured.length > 0 ? measured : [`  ${dim('is still measuring itself')}`])];
}

function clock(time: Date): string {
  return time.toTimeString().slice(0, 8);
}
