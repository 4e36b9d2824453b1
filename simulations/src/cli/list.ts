import { strategies, table } from '@shoal/coordinator';
import type { Command } from 'commander';
import { type DeviceClass, deviceClasses } from '../fleet/index.ts';
import type { Terminal } from './terminal.ts';

/** `classes` and `strategies`: what can be named. */
export function listCommand(program: Command, { output, paint }: Terminal): void {
  program
    .command('classes')
    .description('the classes of devices, what they take and draw, and where that comes from')
    .action(() => {
      const rows = Object.entries<DeviceClass>(deviceClasses);
      output.write(
        table(
          rows,
          [
            { title: 'CLASS', value: ([name]) => name },
            { title: 'WHAT', value: ([, { title }]) => title },
            { title: 'LITE0 MS', value: ([, { lite0Ms }]) => String(lite0Ms), align: 'right' },
            { title: 'SLOTS', value: ([, { slots }]) => String(slots), align: 'right' },
            { title: 'IDLE W', value: ([, { idleWatts }]) => idleWatts.toFixed(1), align: 'right' },
            { title: 'BUSY +W', value: ([, { busyWatts }]) => busyWatts.toFixed(1), align: 'right' },
            { title: 'SOURCE', value: ([, { source }]) => paint('dim', source) },
          ],
          paint,
        ),
      );
    });
  program
    .command('strategies')
    .description('the strategies, and when to use which')
    .action(() => {
      output.write(
        table(
          strategies,
          [
            { title: 'STRATEGY', value: ({ name }) => name },
            { title: 'WHEN', value: ({ summary }) => summary },
          ],
          paint,
        ),
      );
    });
}
