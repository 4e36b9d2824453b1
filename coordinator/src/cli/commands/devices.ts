import { ShoalError } from '@shoal/protocol';
import type { Device } from '../../http/index.ts';
import { pipelines } from '../../pipelines/index.ts';
import type { Context } from '../context.ts';
import { agoText, bytesText, durationText, type Paint, printable, table } from '../output/index.ts';

export async function listDevices(context: Context): Promise<void> {
  const { items } = await context.api.call<{ items: Device[] }>('GET', '/v1/devices');
  context.show(items, () =>
    items.length === 0
      ? 'No devices yet. Make a token (shoal token create), then on the device: shoal-agent join TOKEN'
      : deviceTable(
          items.filter(({ followedBy }) => followedBy === undefined),
          context.paint,
          context.world.clock.nowMs(),
        ),
  );
  const waiting = items.filter(({ pending, revoked }) => pending && !revoked).length;
  if (waiting > 0 && !context.json)
    context.world.stderr.write(`${waiting} waiting for approval: shoal devices approve NAME, or reject NAME\n`);
}

function deviceTable(devices: readonly Device[], paint: Paint, nowMs: number): string {
  return table(
    devices,
    [
      { title: 'NAME', value: ({ name }) => printable(name) },
      { title: 'STATE', value: (device) => stateText(device, paint) },
      { title: 'SEEN', value: ({ lastSeenAt }) => agoText(lastSeenAt, nowMs) },
      { title: 'MACHINE', value: ({ capability }) => printable(machineText(capability)) },
      { title: 'POWER', value: powerText },
      { title: 'DETECTS', value: detectorText },
      { title: 'WORK', value: ({ running }) => String(running), align: 'right' },
      { title: 'ID', value: ({ id }) => paint('dim', id) },
    ],
    paint,
  );
}

export async function showDevice(context: Context, word: string): Promise<void> {
  const device = await findDevice(context, word);
  context.show(device, () => describeDevice(device, context.paint, context.world.clock.nowMs()));
}

export async function changeDevice(context: Context, word: string, change: object): Promise<void> {
  const { id } = await findDevice(context, word);
  const device = await context.api.call<Device>('PATCH', `/v1/devices/${id}`, { json: change });
  context.show(device, () => deviceTable([device], context.paint, context.world.clock.nowMs()));
}

export async function labelDevice(
  context: Context,
  word: string,
  changes: Readonly<Record<string, string>>,
): Promise<void> {
  const { labels } = await findDevice(context, word);
  const merged = Object.entries({ ...labels, ...changes }).filter(([, value]) => value !== '');
  await changeDevice(context, word, { labels: Object.fromEntries(merged) });
}

export async function approveDevice(context: Context, word: string): Promise<void> {
  const { id } = await findDevice(context, word);
  const device = await context.api.call<Device>('POST', `/v1/devices/${id}/approve`);
  context.show(device, () => `${printable(device.name)} is in: it goes on by itself within seconds.`);
}

export async function rejectDevice(context: Context, word: string): Promise<void> {
  const { id, name } = await findDevice(context, word);
  await context.api.call('POST', `/v1/devices/${id}/reject`);
  context.show({ id, rejected: true }, () => `${printable(name)} is rejected: it is refused from now on.`);
}

export async function revokeDevice(context: Context, word: string): Promise<void> {
  const { id, name } = await findDevice(context, word);
  await context.api.call('DELETE', `/v1/devices/${id}`);
  context.show({ id, revoked: true }, () => `${printable(name)} is revoked: it is refused from now on.`);
}

/** By id, by name (rather of one that is not revoked), or by the beginning of an id that only one has. */
export async function findDevice({ api }: Context, word: string): Promise<Device> {
  const { items } = await api.call<{ items: Device[] }>('GET', '/v1/devices');
  const named = items.filter(({ id, name }) => id === word || name === word);
  const wanted = named.filter(({ id, revoked }) => id === word || !revoked);
  const found = [wanted, named, items.filter(({ id }) => id.startsWith(word))].find(({ length }) => length > 0) ?? [];
  const [device] = found;
  if (device && found.length === 1) return device;
  if (!device) throw new ShoalError('not-found', `there is no device ${word}; shoal devices lists them`);
  const ids = found.map(({ id }) => id);
  throw new ShoalError('conflict', `${found.length} devices are meant by ${word}: ${ids.join(', ')}`, { ids });
}

function describeDevice(device: Device, paint: Paint, nowMs: number): string {
  const { capability: has, telemetry, labels } = device;
  const facts: [string, string][] = [
    ['state', `${stateText(device, paint)}, seen ${agoText(device.lastSeenAt, nowMs)}`],
    ['machine', printable(`${machineText(has)}, ${has.cores} cores, ${bytesText(has.memoryBytes)}`)],
    ['accelerators', has.accelerators.map(({ kind, name }) => printable(`${kind} ${name}`)).join(', ') || 'none'],
    ['runtimes', has.runtimes.join(', ') || 'none that work'],
    ['video', has.decoders.join(', ') || 'none that it can decode'],
    ['power', powerText(device)],
    ['links', linksText(device)],
    ['inputs', inputsText(device)],
    ['messages', device.sealed ? 'sealed: nobody on the way can read them' : 'signed, not sealed'],
    [
      'labels',
      Object.entries(labels)
        .map(([name, value]) => printable(`${name}=${value}`))
        .join(' ') || 'none',
    ],
    ['software', printable(has.software)],
  ];
  if (device.follows !== undefined)
    facts.push(['former key', `${device.follows}: shoal devices show ${device.follows}`]);
  if (device.followedBy !== undefined) facts.push(['new key', device.followedBy]);
  if (telemetry) {
    const warm = telemetry.temperatureC === undefined ? '' : `, ${telemetry.temperatureC.toFixed(0)} °C`;
    const slow = telemetry.throttled ? ', throttled' : '';
    facts.push(['load', `${Math.round(telemetry.cpuLoad * 100)} % of all cores${warm}${slow}`]);
  }
  const lines = facts.map(([name, value]) => `  ${paint('dim', name.padEnd(13))} ${value}`);
  return `${paint('bold', printable(device.name))}  ${paint('dim', device.id)}\n${lines.join('\n')}\n\n${profileTable(device, paint)}`;
}

function profileTable({ profiles }: Device, paint: Paint): string {
  if (profiles.length === 0) return '  It has not measured a model yet.\n';
  const rows = table(
    profiles,
    [
      { title: '  MODEL', value: ({ model }) => `  ${printable(model)}` },
      { title: 'VARIANT', value: ({ variant }) => printable(variant) },
      { title: 'P50', value: ({ p50Ms }) => `${p50Ms.toFixed(1)} ms`, align: 'right' },
      { title: 'P95', value: ({ p95Ms }) => `${p95Ms.toFixed(1)} ms`, align: 'right' },
      { title: 'LOAD', value: ({ loadMs }) => `${loadMs.toFixed(0)} ms`, align: 'right' },
      { title: 'MEMORY', value: ({ memoryBytes }) => bytesText(memoryBytes), align: 'right' },
      {
        title: 'ENERGY',
        value: ({ energyMj }) => (energyMj === undefined ? '-' : `${energyMj.toFixed(0)} mJ`),
        align: 'right',
      },
      { title: 'SURE', value: ({ confidence }) => `${Math.round(confidence * 100)} %`, align: 'right' },
    ],
    paint,
  );
  return rows;
}

function stateText({ presence, draining, revoked, pending, followedBy }: Device, paint: Paint): string {
  if (followedBy !== undefined) return paint('dim', 'old key');
  if (revoked) return paint('red', pending ? 'rejected' : 'revoked');
  if (pending) return paint('yellow', 'pending');
  if (draining) return paint('yellow', 'draining');
  return paint(presence === 'online' ? 'green' : presence === 'suspect' ? 'yellow' : 'red', presence);
}

function machineText({ board, cpuModel, platform, arch }: Device['capability']): string {
  return `${board || cpuModel || 'unknown'} (${platform} ${arch})`;
}

function powerText({ capability, telemetry }: Device): string {
  if (!capability.hasBattery || telemetry?.batteryPct === undefined) return capability.powerSource;
  return `${telemetry.batteryPct.toFixed(0)} %${telemetry.charging ? ' charging' : ''}`;
}

/** Which of its links the coordinator has it on now, and what the device says of each. */
function linksText({ link: { up }, telemetry }: Device): string {
  const said = telemetry?.links ?? [];
  const others = up.filter((kind) => !said.some((link) => link.kind === kind));
  const texts = said.map(({ kind, up: isUp, inUse, rttMs, loss }) => {
    const state = inUse ? 'in use' : isUp ? 'up' : 'down';
    const trip = rttMs === undefined ? '' : `, ${durationText(rttMs)} there and back`;
    const lost = loss < 0.005 ? '' : `, ${Math.round(100 * loss)} % lost`;
    return `${printable(kind)} ${state}${trip}${lost}`;
  });
  return [...texts, ...others.map((kind) => `${kind} up`)].join('; ') || 'none is up';
}

/** What brings it its inputs, as far as that was measured. */
function inputsText({ link: { rttMs, bytesPerMs } }: Device): string {
  const trip = rttMs === undefined ? [] : [`${durationText(rttMs)} there and back`];
  const rate = bytesPerMs === undefined ? [] : [`${bytesText(Math.round(bytesPerMs * 1_000))}/s`];
  return [...trip, ...rate].join(', ') || 'not measured yet';
}

/** How fast the device runs the detector that an analysis takes unless told, in the variant that suits it best. */
function detectorText({ profiles }: Device): string {
  const detector = pipelines.find(({ name }) => name === 'detect')?.model?.default;
  const best = profiles.filter(({ model }) => model === detector).toSorted((a, b) => a.p50Ms - b.p50Ms)[0];
  return best ? printable(`${best.p50Ms.toFixed(0)} ms ${best.model} ${best.variant}`) : '-';
}
