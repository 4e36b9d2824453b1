import {
  asShoalError,
  type CameraReport,
  type Clock,
  type Logger,
  newId,
  type Random,
  ShoalError,
} from '@shoal/protocol';
import type { ResultRecord } from '../domain/index.ts';
import type { EventBook } from '../events/index.ts';
import type { ModelIndex } from '../pipelines/index.ts';
import type { FleetDevice } from '../registry/index.ts';
import { checkReport, type ResultShelf } from '../results/index.ts';
import type { Store } from '../store/index.ts';

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Pick<Store, 'commit' | 'highestReport' | 'hasReport'>;
  readonly results: ResultShelf;
  readonly events: EventBook;
  readonly models: ModelIndex;
}

/** Reports of one camera from one device. */
interface Numbers {
  /** Highest number that is durable or on its way. */
  highest: number;
  /** Numbers that are being made durable, and what waits for that. */
  readonly keeping: Map<number, Promise<void>>;
}

/** Pairs of a camera and a device whose numbers are at hand; of others they are read again. */
const mostPairs = 10_000;

/** Takes in what cameras saw: one result per camera, device and number, durable before it is acknowledged. */
export class Reports {
  readonly #deps: Deps;
  readonly #numbers = new Map<string, Promise<Numbers>>();
  kept = 0;
  dropped = 0;
  refused = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Resolves when the report may be acknowledged.
   * @throws `attestation.invalid` and its kind; `io.disk-full`, `io.failed`; `input.invalid` for a number that is none.
   */
  async take(device: FleetDevice, report: CameraReport): Promise<void> {
    const { number, cameraId } = report;
    if (!Number.isSafeInteger(number) || number < 1) {
      throw new ShoalError('input.invalid', 'the number of a report is a whole one from 1', { field: 'number' });
    }
    const numbers = await this.#numbersOf(cameraId, device.id);
    const known = number <= numbers.highest && (await this.#deps.store.hasReport(cameraId, device.id, number));
    const keeping = numbers.keeping.get(number);
    if (known || keeping !== undefined) {
      this.dropped += 1;
      return keeping;
    }
    const kept = this.#keep(device, report, numbers);
    numbers.keeping.set(number, kept);
    try {
      await kept;
    } finally {
      numbers.keeping.delete(number);
    }
  }

  async #keep(device: FleetDevice, report: CameraReport, numbers: Numbers): Promise<void> {
    const { clock, random, store, results, events } = this.#deps;
    const work = { camera: report.cameraId, report: report.number };
    const result = this.#checked(device, report, work);
    const nowMs = clock.nowMs();
    const record: ResultRecord = {
      id: newId('res', nowMs, random),
      work,
      device: device.id,
      receivedAtMs: nowMs,
      result: report.result,
      attestation: report.attestation,
    };
    const told = result?.kind === 'scene' ? events.take(record, result) : undefined;
    const changed = (told?.changed ?? []).map((event) => ({ kind: 'event', event }) as const);
    await store.commit([{ kind: 'result', result: record }, ...changed]);
    numbers.highest = Math.max(numbers.highest, report.number);
    this.kept += 1;
    if (result) results.publish(record, result);
    told?.keep();
  }

  #checked(device: FleetDevice, report: CameraReport, work: ResultRecord['work']) {
    try {
      return checkReport(report, device.key, work, (name) => this.#deps.models.get(name));
    } catch (error) {
      this.refused += 1;
      const why = asShoalError(error).message;
      this.#deps.logger.warn('a report is not believed', { device: device.id, camera: report.cameraId, why });
      throw error;
    }
  }

  #numbersOf(camera: string, device: string): Promise<Numbers> {
    const key = `${camera} ${device}`;
    let numbers = this.#numbers.get(key);
    if (numbers === undefined) {
      numbers = this.#deps.store.highestReport(camera, device).then((highest) => ({ highest, keeping: new Map() }));
      numbers.catch(() => this.#numbers.delete(key));
      this.#numbers.set(key, numbers);
      if (this.#numbers.size > mostPairs) this.#numbers.delete(this.#numbers.keys().next().value ?? '');
    }
    return numbers;
  }
}
