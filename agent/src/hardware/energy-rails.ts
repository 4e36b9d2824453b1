import type { EnergyRail } from './capability.ts';
import { amount, line, matching } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

export interface EnergyRails {
  readonly rails: readonly EnergyRail[];
  readonly unknown: readonly string[];
}

/** Where this machine can tell how much energy it uses. */
export async function probeEnergyRails(reader: SystemReader): Promise<EnergyRails> {
  const [jetson, rapl, pmic, battery, nvidia] = await Promise.all([
    probeIna3221(reader),
    probeRapl(reader),
    probePi5Pmic(reader),
    probeBatteries(reader),
    probeNvidia(reader),
  ]);
  return { rails: [...jetson, ...rapl.rails, ...pmic, ...nvidia, ...battery], unknown: rapl.unknown };
}

/**
 * The monitors on Jetson modules. `VDD_IN` (Orin Nano, Orin NX, Xavier NX) and `POM_5V_IN` (Nano) feed everything else; the AGX
 * modules have no such rail and theirs add up (NVIDIA Jetson Linux Developer Guide, "Software-Based Power Consumption Modeling").
 */
async function probeIna3221(reader: SystemReader): Promise<readonly EnergyRail[]> {
  const found = [...(await inaOfHwmon(reader)), ...(await inaOfIio(reader))];
  const whole = found.some(({ name }) => wholeModule.test(name));
  return found.map(({ name, path }) => {
    const scope = wholeModule.test(name) ? 'board' : whole ? 'inside' : 'part';
    return { name, path, source: 'ina3221', scope };
  });
}

const wholeModule = /^(VDD_IN|POM_5V_IN)$/;

interface InaChannel {
  readonly name: string;
  /** Without the `_input` files' endings: `.../in1` or `.../in_power0_input`. */
  readonly path: string;
}

/** JetPack 5 and 6: hwmon with volts and amperes. Channel 7 is a sum of shunt voltages, NC is not connected. */
async function inaOfHwmon(reader: SystemReader): Promise<readonly InaChannel[]> {
  const root = '/sys/class/hwmon';
  const chips = matching(await reader.list(root), /^hwmon\d+$/).slice(0, 64);
  const channels = await Promise.all(
    chips.map(async (chip) => {
      if ((await reader.readText(`${root}/${chip}/name`))?.trim() !== 'ina3221') return [];
      return Promise.all(
        ['1', '2', '3'].map(async (channel) => {
          const name = line(await reader.readText(`${root}/${chip}/in${channel}_label`));
          return { name, path: `${root}/${chip}/in${channel}` };
        }),
      );
    }),
  );
  return channels.flat().flatMap(({ name, path }) => (name && name !== 'NC' ? [{ name, path }] : []));
}

/** JetPack 4: an IIO device of NVIDIA's own driver, in milliwatts. */
async function inaOfIio(reader: SystemReader): Promise<readonly InaChannel[]> {
  const root = '/sys/bus/i2c/drivers/ina3221x';
  const chips = matching(await reader.list(root), /^\d+-[0-9a-f]{4}$/);
  const channels = await Promise.all(
    chips.map(async (chip) => {
      const devices = matching(await reader.list(`${root}/${chip}`), /^iio:device\d+$/);
      return Promise.all(
        devices.flatMap((device) =>
          ['0', '1', '2'].map(async (channel) => {
            const folder = `${root}/${chip}/${device}`;
            const name = line(await reader.readText(`${folder}/rail_name_${channel}`));
            return { name, path: `${folder}/in_power${channel}_input` };
          }),
        ),
      );
    }),
  );
  return channels.flat().flatMap(({ name, path }) => (name && name !== 'NC' ? [{ name, path }] : []));
}

/**
 * RAPL counters of Intel and AMD (Linux Documentation/power/powercap/powercap.rst). A package holds its cores and its graphics;
 * memory is beside it. `psys` is left out: boards disagree on what it measures.
 */
async function probeRapl(reader: SystemReader): Promise<EnergyRails> {
  const root = '/sys/class/powercap';
  const zones = matching(await reader.list(root), /^intel-rapl(:\d+){1,2}$/).slice(0, 32);
  const rails: EnergyRail[] = [];
  let locked = false;
  for (const zone of zones) {
    const folder = `${root}/${zone}`;
    const name = line(await reader.readText(`${folder}/name`));
    if (name === undefined || name === 'psys') continue;
    if (amount(await reader.readText(`${folder}/energy_uj`)) === undefined) {
      locked = true;
      continue;
    }
    const range = amount(await reader.readText(`${folder}/max_energy_range_uj`));
    const scope = /^package-\d+$|^dram$/.test(name) ? 'part' : 'inside';
    rails.push({
      name,
      source: 'rapl',
      scope,
      path: `${folder}/energy_uj`,
      wrapsAtMj: range ? range / 1000 : undefined,
    });
  }
  // Closed to other users since 2020, because the counters leak secrets (CVE-2020-8694).
  return { rails, unknown: locked ? [`energy: only root may read ${root}/*/energy_uj`] : [] };
}

async function probePi5Pmic(reader: SystemReader): Promise<readonly EnergyRail[]> {
  // Only the Pi 5 family (BCM2712) has a power chip that measures.
  const tree = await reader.readText('/proc/device-tree/compatible');
  if (!tree?.includes('brcm,bcm2712')) return [];
  const output = await reader.run('vcgencmd', ['pmic_read_adc'], { timeoutMs: 2000 });
  if (!/ current\(\d+\)=/.test(output?.stdout ?? '')) return [];
  return [{ name: 'PMIC rails', source: 'pi5-pmic', scope: 'part', path: 'vcgencmd pmic_read_adc' }];
}

async function probeBatteries(reader: SystemReader): Promise<readonly EnergyRail[]> {
  const root = '/sys/class/power_supply';
  const rails = await Promise.all(
    (await reader.list(root)).slice(0, 32).map(async (name): Promise<EnergyRail | undefined> => {
      const uevent = await reader.readText(`${root}/${name}/uevent`);
      const own = !/^POWER_SUPPLY_SCOPE=Device$/m.test(uevent ?? '');
      const measures = /^POWER_SUPPLY_(POWER_NOW|CURRENT_NOW)=/m.test(uevent ?? '');
      const battery = own && measures && /^POWER_SUPPLY_CAPACITY=/m.test(uevent ?? '');
      return battery ? { name, source: 'battery', scope: 'board', path: `${root}/${name}/uevent` } : undefined;
    }),
  );
  return rails.filter((rail) => rail !== undefined);
}

async function probeNvidia(reader: SystemReader): Promise<readonly EnergyRail[]> {
  if ((await reader.access('/proc/driver/nvidia/version')) === 'missing') return [];
  const output = await reader.run('nvidia-smi', ['--query-gpu=power.draw', '--format=csv,noheader,nounits'], {
    timeoutMs: 5000,
  });
  const readings = output?.code === 0 ? output.stdout.trim().split('\n') : [];
  return readings.flatMap((text, index) =>
    amount(text) === undefined
      ? []
      : [{ name: `GPU ${index}`, source: 'nvidia-smi' as const, scope: 'part' as const, path: String(index) }],
  );
}
