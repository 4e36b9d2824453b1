import type { Command } from 'commander';
import type { ChargingWindow } from '../../domain/index.ts';
import type { ClientOptions } from '../context.ts';
import type { World } from '../world.ts';
import { client } from './client.ts';
import { chargingWindow, parseLabels, percent } from './values.ts';

interface PowerFlags {
  floor?: number;
  mainsOnly?: boolean;
  charging?: readonly ChargingWindow[];
}

export function addDevices(program: Command, world: World): void {
  const devices = program
    .command('devices')
    .description('The fleet: list, show, approve, reject, rename, label, power, drain, revoke');
  const load = () => import('../commands/devices.ts');
  client(devices.command('list', { isDefault: true }).description('list all devices'), world, async (context) =>
    (await load()).listDevices(context),
  );
  client(
    devices
      .command('show')
      .description('what a device has and what it measured about itself')
      .argument('<device>', 'name or id'),
    world,
    async (context, [device = '']) => (await load()).showDevice(context, device),
  );
  client(
    devices
      .command('approve')
      .description('let a device in that joined with a token that asks for approval')
      .argument('<device>', 'name or id'),
    world,
    async (context, [device = '']) => (await load()).approveDevice(context, device),
  );
  client(
    devices.command('reject').description('refuse a device that waits for approval, for good').argument('<device>'),
    world,
    async (context, [device = '']) => (await load()).rejectDevice(context, device),
  );
  client(
    devices.command('rename').description('give a device another name').argument('<device>').argument('<name>'),
    world,
    async (context, [device = '', name = '']) => (await load()).changeDevice(context, device, { name }),
  );
  client(
    devices
      .command('label')
      .description('set labels; NAME= takes one away')
      .argument('<device>')
      .argument('<name=value...>'),
    world,
    async (context, [device = '', ...labels]) => (await load()).labelDevice(context, device, parseLabels(labels)),
  );
  client<ClientOptions & { undo?: boolean }>(
    devices
      .command('drain')
      .description('let a device finish what it has, and give it nothing new')
      .argument('<device>')
      .option('--undo', 'give it work again'),
    world,
    async (context, [device = ''], { undo }) => (await load()).changeDevice(context, device, { draining: !undo }),
  );
  client<ClientOptions & PowerFlags>(
    devices
      .command('power')
      .description('what work may take of the battery of a device; what is left out is as for the whole fleet')
      .argument('<device>')
      .option('--floor <percent>', 'never take the battery below this level', percent)
      .option('--mains-only', 'never work on its battery')
      .option('--charging <window>', 'when it is charged (UTC), with how many watts: 07:00-17:00@12', chargingWindow),
    world,
    async (context, [device = ''], { floor, mainsOnly, charging }) =>
      (await load()).changeDevice(context, device, { power: { floorPct: floor, mainsOnly, charging } }),
  );
  client(
    devices.command('revoke').description('refuse a device from now on, and cut its connection').argument('<device>'),
    world,
    async (context, [device = '']) => (await load()).revokeDevice(context, device),
  );
}
