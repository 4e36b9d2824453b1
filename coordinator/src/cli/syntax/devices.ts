import type { Command } from 'commander';
import type { ClientOptions } from '../context.ts';
import type { World } from '../world.ts';
import { client } from './client.ts';
import { parseLabels } from './values.ts';

export function addDevices(program: Command, world: World): void {
  const devices = program.command('devices').description('The fleet: list, show, rename, label, drain, revoke');
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
  client(
    devices.command('revoke').description('refuse a device from now on').argument('<device>'),
    world,
    async (context, [device = '']) => (await load()).revokeDevice(context, device),
  );
}
