import { Counter, type Registry } from 'prom-client';
import type { Coordinator, Statistics } from '../domain/index.ts';

interface Counted {
  readonly name: string;
  readonly help: string;
  /** The label that tells the values apart. */
  readonly label?: string;
  readonly read: (statistics: Statistics) => Readonly<Record<string, number>>;
}

const counted: readonly Counted[] = [
  {
    name: 'shoal_tasks_submitted_total',
    help: 'Tasks taken in.',
    read: ({ tasksSubmitted }) => ({ '': tasksSubmitted }),
  },
  {
    name: 'shoal_tasks_ended_total',
    help: 'Tasks that ended, by how.',
    label: 'state',
    read: ({ tasksEnded }) => onlyFinal(tasksEnded),
  },
  {
    name: 'shoal_attempts_ended_total',
    help: 'Attempts on devices that ended, by how.',
    label: 'state',
    read: ({ attemptsEnded: { offered: _offered, accepted: _accepted, ...ended } }) => ended,
  },
  {
    name: 'shoal_placements_total',
    help: 'Times that a device was looked for; failed: none could take the work.',
    label: 'outcome',
    read: ({ placementsMade, placementsFailed }) => ({ made: placementsMade, failed: placementsFailed }),
  },
  {
    name: 'shoal_results_total',
    help: 'Results that came. Dropped: a second time or too late. Refused: not believed.',
    label: 'outcome',
    read: ({ resultsKept, resultsDropped, resultsRefused }) => ({
      kept: resultsKept,
      dropped: resultsDropped,
      refused: resultsRefused,
    }),
  },
  {
    name: 'shoal_adverts_heard_total',
    help: 'Adverts of capabilities that came by gossip: hints, which decide nothing.',
    read: ({ advertsHeard }) => ({ '': advertsHeard }),
  },
  {
    name: 'shoal_frames_refused_total',
    help: 'Frames from devices that were not believed, by error code.',
    label: 'code',
    read: ({ framesRefused }) => framesRefused,
  },
  {
    name: 'shoal_store_commits_total',
    help: 'Durable commits: many changes share one.',
    read: ({ commits }) => ({ '': commits }),
  },
  {
    name: 'shoal_store_changes_total',
    help: 'Changes made durable.',
    read: ({ changesCommitted }) => ({ '': changesCommitted }),
  },
];

/** Counters that the coordinator keeps itself, read when they are asked for. */
export function addStatistics(coordinator: Coordinator, registers: Registry[]): void {
  for (const { name, help, label, read } of counted) {
    new Counter({
      name,
      help,
      labelNames: label === undefined ? [] : [label],
      registers,
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(read(coordinator.statistics()))) {
          if (label === undefined) this.inc(count);
          else this.labels(value).inc(count);
        }
      },
    });
  }
}

function onlyFinal({ queued: _queued, running: _running, ...ended }: Statistics['tasksEnded']): Record<string, number> {
  return ended;
}
