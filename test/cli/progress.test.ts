import { expect, test } from 'vitest';
import { copyProgress } from '../../src/cli/progress.js';
import { ProgressRows } from '../../src/cli/progress-rows.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import { captured } from '../support/cli.js';
import { FakeTerminal } from '../support/fake-terminal.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/until.js';

const reading = (scope: string, listed: number, records: number) =>
  ({ phase: 'read', scope, listed, records, bytes: 0, total: undefined }) as const;
const writing = (scope: string, records: number, total: number) =>
  ({ phase: 'write', scope, listed: 1_100, records, bytes: 0, total }) as const;
const busy = () => new TopologyError(ErrorCode.Unavailable, 'nobody answers');

test('counts what each cell listed, read and wrote, how fast of late, and how long it will take', () => {
  const clock = new ManualClock();
  const rows = new ProgressRows(clock);
  rows.update(reading('zone1', 0, 0));
  clock.advance(1_000);
  rows.update(reading('zone1', 1_100, 1_000));
  expect(rows.all()).toMatchObject([
    { listed: 1_100, read: 1_000, perSecond: 1_000, remainingMs: undefined },
  ]);
  rows.update(writing('zone1', 0, 1_000));
  rows.retried('zone1', busy());
  clock.advance(2_000);
  rows.update(writing('zone1', 400, 1_000));
  expect(rows.all()).toMatchObject([
    { read: 1_000, written: 400, toWrite: 1_000, perSecond: 200, remainingMs: 3_000, errors: 1 },
  ]);
  // What hangs is not fast because it was.
  clock.advance(20_000);
  expect(rows.all()[0]?.perSecond).toBeLessThan(20);
});

test('in a pipe: one line every few seconds, about all cells', () => {
  const clock = new ManualClock();
  const { io, result } = captured();
  const view = copyProgress(io, { clock, asJson: false });
  view.update(reading('global', 10, 10));
  clock.advance(4_999);
  view.update(reading('zone1', 1_100, 1_000));
  expect(result().err).toBe('');
  clock.advance(1);
  view.update(writing('zone1', 0, 1_000));
  clock.advance(1_000);
  view.update(writing('zone1', 100, 1_000));
  clock.advance(4_000);
  view.retried('zone1', busy());
  view.pause();
  expect(result().err.split('\n')).toEqual([
    'global: read 10 records, 10 paths listed, 0/s; zone1: wrote 0 of 1,000 records, 0/s',
    'global: read 10 records, 10 paths listed, 0/s; zone1: wrote 100 of 1,000 records, 20/s, 45s left, 1 error tried again, the last Unavailable',
    '',
  ]);
  expect(result().out).toBe('');
});

test('for programs: one object a line for each cell', () => {
  const clock = new ManualClock();
  const { io, result } = captured();
  const view = copyProgress(io, { clock, asJson: true });
  view.update(writing('zone1', 0, 1_000));
  clock.advance(5_000);
  view.update(writing('zone1', 500, 1_000));
  const events = result()
    .err.trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events).toEqual([
    {
      ...{ type: 'progress', scope: 'zone1', phase: 'write', listed: 1_100, read: 0, written: 500 },
      ...{ toWrite: 1_000, errors: 0, perSecond: 100, remainingSeconds: 5 },
    },
  ]);
});

test('on a terminal: a line for each cell, drawn again and again, and taken away', async () => {
  const clock = new ManualClock();
  const screen = new FakeTerminal();
  const { io, result } = captured({}, { screen });
  const view = copyProgress(io, { clock, asJson: false });
  view.update(reading('global', 12, 11));
  view.update(writing('zone1', 0, 1_000));
  clock.advance(1_000);
  view.update(writing('zone1', 500, 1_000));
  await until('drawn', () => /listed +12 +read +11/.test(screen.text) && screen.text.includes('500 of'));
  expect(screen.text).toMatch(
    /zone1 +written +500 of 1,000 +500\/s, 1s left +\[={10} {10}\] listed +1,100 +read +0/,
  );
  view.pause();
  // Clears everything below, and shows the cursor again.
  expect(screen.text.endsWith('\u001b[0J') || screen.text.includes('\u001b[?25h')).toBe(true);
  view.pause();
  expect(result()).toMatchObject({ out: '', err: '' });
});
