import { MultiBar, type SingleBar } from 'cli-progress';
import type { CopyProgress } from '../copy/copy.js';
import type { Io } from './io.js';

/** Progress of a copy: bars on a terminal, one line every few seconds elsewhere, nothing for programs. */
export interface ProgressView {
  update(event: CopyProgress): void;
  /** Clears the bars, so that something else can be printed. */
  pause(): void;
  /** Clears the bars for good. Idempotent. */
  stop(): void;
}

const LINE_EVERY_MS = 5_000;

/** A view on `io`'s error stream; silent when `shown` is false. */
export function copyProgress(io: Io, shown: boolean): ProgressView {
  if (!shown) return { update: () => {}, pause: () => {}, stop: () => {} };
  return io.errIsTerminal ? bars() : lines(io);
}

function bars(): ProgressView {
  const make = () =>
    new MultiBar({
      format: '  {phase} {scope} {bar} {value}/{total}',
      clearOnComplete: true,
      hideCursor: true,
      stream: process.stderr,
    });
  let multi: MultiBar | undefined;
  const byScope = new Map<string, SingleBar>();
  const clear = () => {
    multi?.stop();
    multi = undefined;
    byScope.clear();
  };
  return {
    update({ phase, scope, records, total }) {
      multi ??= make();
      const shown = { phase: phase === 'read' ? 'reading' : 'writing', scope };
      const bar = byScope.get(scope) ?? multi.create(total ?? records, 0, shown);
      byScope.set(scope, bar);
      bar.setTotal(total ?? records);
      bar.update(records, shown);
    },
    pause: clear,
    stop: clear,
  };
}

function lines(io: Io): ProgressView {
  let last = Date.now();
  return {
    update({ phase, scope, records, total }) {
      if (Date.now() - last < LINE_EVERY_MS) return;
      last = Date.now();
      io.err(
        `${phase === 'read' ? 'read' : 'wrote'} ${records}${total === undefined ? '' : ` of ${total}`} records of ${scope}`,
      );
    },
    pause: () => {},
    stop: () => {},
  };
}
