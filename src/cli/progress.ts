import type { CopyProgress } from '../copy/options.js';
import type { Clock } from '../topo/clock.js';
import { durationText } from './durations.js';
import { count, type Io, jsonLine } from './io.js';
import { ProgressRows, type Row } from './progress-rows.js';
import { barText, Screen } from './screen.js';

/** How far a copy is: a line for each cell on a terminal, one line every few seconds elsewhere, events for programs. */
export interface ProgressView {
  update(event: CopyProgress): void;
  /** A request to a cell's store failed, and is sent again. */
  retried(scope: string, error: unknown): void;
  /** Clears what is drawn, so that something else can be printed. Idempotent. */
  pause(): void;
}

/** Milliseconds between two lines of one who does not draw. */
export const LINE_EVERY_MS = 5_000;

/** What a view depends on. */
export interface ProgressOptions {
  readonly clock: Clock;
  /** Whether results are for programs. */
  readonly asJson: boolean;
  /** Where events and lines go. Default: the error stream. */
  readonly tell?: ((line: string) => void) | undefined;
}

/** A view for whoever watches. */
export function copyProgress(io: Io, options: ProgressOptions): ProgressView {
  const rows = new ProgressRows(options.clock);
  const { screen } = io;
  const shown = options.asJson || screen === undefined ? lines(io, rows, options) : drawn(screen, rows);
  return {
    update(event) {
      rows.update(event);
      shown.changed();
    },
    retried(scope, error) {
      rows.retried(scope, error);
      shown.changed();
    },
    pause: shown.pause,
  };
}

function drawn(stream: NodeJS.WritableStream, rows: ProgressRows) {
  const screen = new Screen(stream);
  return {
    changed: () => screen.draw(rows.all().map(rowLine)),
    pause: () => screen.clear(),
  };
}

function lines(io: Io, rows: ProgressRows, { clock, asJson, tell = io.err }: ProgressOptions) {
  let last = clock.now();
  return {
    changed(): void {
      if (clock.now() - last < LINE_EVERY_MS) return;
      last = clock.now();
      if (asJson) for (const row of rows.all()) tell(jsonLine(rowJson(row)));
      else tell(rows.all().map(rowText).join('; '));
    },
    pause: () => {},
  };
}

/** A row of a live view. What matters most comes first, since a terminal may show the beginning alone. */
function rowLine(row: Row): string {
  const { scope, phase, listed, read, written, toWrite = 0, perSecond } = row;
  const rate = `${Math.round(perSecond).toLocaleString('en-US')}/s`.padStart(9);
  const number = (value: number) => value.toLocaleString('en-US').padStart(9);
  const found = `listed ${number(listed)}  read ${number(read)}`;
  const line =
    phase === 'read'
      ? `${found}${rate}${errorsText(row)}`
      : `written ${number(written)} of ${toWrite.toLocaleString('en-US')}${rate}${`${leftText(row)}${errorsText(row)}`.padEnd(12)} ${barText(toWrite === 0 ? 1 : written / toWrite)} ${found}`;
  return `  ${scope.padEnd(12)} ${line}`;
}

/** A row of a line that tells of all cells. */
function rowText(row: Row): string {
  const { scope, phase, listed, read, written, toWrite, perSecond } = row;
  const what =
    phase === 'read'
      ? `read ${count(read, 'record')}, ${count(listed, 'path')} listed`
      : `wrote ${written.toLocaleString('en-US')}${toWrite === undefined ? '' : ` of ${count(toWrite, 'record')}`}`;
  return `${scope}: ${what}, ${Math.round(perSecond).toLocaleString('en-US')}/s${leftText(row)}${errorsText(row)}`;
}

function leftText({ remainingMs }: Row): string {
  return remainingMs === undefined || remainingMs === 0 ? '' : `, ${durationText(remainingMs)} left`;
}

function errorsText({ errors, lastError }: Row): string {
  return errors === 0 ? '' : `, ${count(errors, 'error')} tried again, the last ${lastError}`;
}

/** A row for programs; times in seconds. */
function rowJson({ perSecond, remainingMs, ...row }: Row): object {
  return {
    type: 'progress',
    ...row,
    perSecond: Math.round(perSecond),
    ...(remainingMs === undefined ? {} : { remainingSeconds: Math.round(remainingMs / 1000) }),
  };
}
