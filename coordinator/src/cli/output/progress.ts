import type { Output } from '../world.ts';
import { paintFor } from './paint.ts';

export interface Progress {
  /** `fraction` 0..1; `undefined` while the end is not known. */
  update(fraction: number | undefined, text: string): void;
  /** Takes the bar away. */
  end(): void;
}

const barWidth = 24;
/** A terminal is drawn at most this often; a log gets one line for each tenth. */
const redrawMs = 80;

/** A bar on one line of a terminal; where there is none, a line now and then. */
export function progressOn(output: Output, title: string, nowMs: () => number): Progress {
  return output.isTTY ? terminalBar(output, title, nowMs) : plainLines(output, title);
}

function terminalBar(output: Output, title: string, nowMs: () => number): Progress {
  const paint = paintFor(output, {});
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  return {
    update(fraction, text) {
      if (nowMs() - drawnAtMs < redrawMs && fraction !== 1) return;
      drawnAtMs = nowMs();
      const done = Math.round(barWidth * Math.min(1, fraction ?? 0));
      const bar = paint('green', '━'.repeat(done)) + paint('dim', '─'.repeat(barWidth - done));
      const share = fraction === undefined ? '    ' : `${String(Math.floor(fraction * 100)).padStart(3)}%`;
      const line = `${title} ${bar} ${share} ${text}`;
      output.write(`\r\u001b[K${line.slice(0, (output.columns ?? 100) + 20)}`);
    },
    end: () => void output.write('\r\u001b[K'),
  };
}

function plainLines(output: Output, title: string): Progress {
  let shown = -1;
  return {
    update(fraction, text) {
      const tenth = fraction === undefined ? 0 : Math.floor(fraction * 10);
      if (tenth <= shown) return;
      shown = tenth;
      output.write(`${title} ${fraction === undefined ? '' : `${tenth * 10}% `}${text}\n`);
    },
    end: () => {},
  };
}
