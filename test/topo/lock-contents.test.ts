import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeLockContents, parseLockContents } from '../../src/topo/lock-contents.js';

const NOW = Date.UTC(2026, 0, 31, 22, 5, 9, 987);
const TAKER = { action: 'PlannedReparentShard(zone1-0000000100)', host: 'h1', user: 'vitess', now: NOW };

let zone: string | undefined;
beforeEach(() => {
  zone = process.env['TZ'];
});
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

test('contents are byte for byte what Go writes', () => {
  process.env['TZ'] = 'UTC';
  expect(makeLockContents(TAKER)).toBe(
    [
      '{',
      '  "Action": "PlannedReparentShard(zone1-0000000100)",',
      '  "HostName": "h1",',
      '  "UserName": "vitess",',
      '  "Time": "2026-01-31T22:05:09Z",',
      '  "Options": {},',
      '  "Status": "Running"',
      '}',
    ].join('\n'),
  );
});

test.each([
  ['Asia/Kolkata', '2026-02-01T03:35:09+05:30'],
  ['America/New_York', '2026-01-31T17:05:09-05:00'],
])('the time has the offset of the machine: %s', (timezone, written) => {
  process.env['TZ'] = timezone;
  const contents = makeLockContents(TAKER);
  expect(contents).toContain(`"Time": "${written}"`);
  expect(parseLockContents(contents)?.time).toBe(NOW - 987);
});

test('what Go escapes is escaped, and unknown hosts and users are called unknown', () => {
  const contents = makeLockContents({ action: 'a <b> & "c" \u2028', now: NOW });
  expect(contents).toContain('"Action": "a \\u003cb\\u003e \\u0026 \\"c\\" \\u2028"');
  expect(contents).toContain('"HostName": "unknown"');
  expect(contents).toContain('"UserName": "unknown"');
  expect(parseLockContents(contents)).toEqual({
    action: 'a <b> & "c" \u2028',
    host: undefined,
    user: undefined,
    time: NOW - 987,
    status: 'Running',
  });
});

test('the three values of the first releases are read', () => {
  const contents = '{"Action":"Reparent {","ActionGuid":"x","State":"Running","Pid":7}\n{"Args": []}\nnull';
  expect(parseLockContents(contents)).toMatchObject({ action: 'Reparent {', time: undefined });
});

test.each([
  '',
  'host:15000',
  '{',
  '{"Action": 7}',
  '{"Action" "x"}',
  '[{"Action":"x"}]',
  '"{}"',
  'null',
  '}{',
])('other text is no contents of a lock: %s', (text) => expect(parseLockContents(text)).toBeUndefined());

test('a damaged time is left out, and nothing else', () => {
  expect(parseLockContents('{"Action":"x","HostName":"h","Time":"yesterday"}')).toMatchObject({
    action: 'x',
    host: 'h',
    time: undefined,
  });
});
