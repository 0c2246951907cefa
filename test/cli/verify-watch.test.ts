import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { cli } from '../support/cli.js';
import { contents } from '../support/topologies.js';
import { until } from '../support/until.js';
import { CopiedPair } from '../verify/copied-pair.js';
import { type PatrolEvent, type RunningPatrol, startPatrol } from './patrolling.js';

const TOOL = fileURLToPath(new URL('./tool-process.ts', import.meta.url));
const isEvent = new Ajv2020({ strictRequired: false }).compile(
  JSON.parse(readFileSync('schema/verify-watch.schema.json', 'utf8')),
);

let pair: CopiedPair;
let running: RunningPatrol | undefined;
beforeEach(async () => {
  pair = await CopiedPair.make();
});
afterEach(async () => {
  running?.stop();
  await running?.done;
  // Whatever a test made it say.
  for (const event of running?.events ?? [])
    expect([event, isEvent(event), isEvent.errors]).toEqual([event, true, null]);
  running = undefined;
  pair.remove();
});

const start = (...more: string[]): RunningPatrol => {
  running = startPatrol(pair.addresses, more);
  return running;
};

const OWNER = 'metadata/owner';

describe('verify --watch', () => {
  test('says what the verdict is, and once each time that it changes, with what differs', async () => {
    const patrol = start();
    expect(await patrol.told(1)).toEqual(['equal']);
    await pair.put('destination', 'global', OWNER, 'theirs');
    await pair.put('source', 'zone1', 'metadata/made', 'there alone');
    expect(await patrol.told(2)).toEqual(['equal', 'different']);
    expect(patrol.events.filter(({ type }) => type === 'verdict').at(-1)).toMatchObject({
      was: 'equal',
      compared: expect.any(Number),
      differing: expect.arrayContaining([expect.objectContaining({ path: expect.any(String) })]),
    });
    await until('both', async () => {
      const metrics = Object.entries(await patrol.metrics());
      const found = metrics.filter(([name]) => name.startsWith('topo2topo_patrol_differences'));
      return found.reduce((sum, [, number]) => sum + number, 0) === 2;
    });
    expect(await cli(['verify', ...pair.addresses, '--repair', '--yes', '--settle', '0'])).toMatchObject({
      code: 0,
    });
    expect(await patrol.told(3)).toEqual(['equal', 'different', 'equal']);
    patrol.stop();
    expect((await patrol.done).code).toBe(0);
    expect(patrol.events.at(0)).toMatchObject({ type: 'listening' });
    expect(patrol.events.at(-1)).toMatchObject({ type: 'end', verdict: 'equal', changes: 2 });
    expect(patrol.verdicts()).toHaveLength(3);
  });

  test('a change that arrives within --settle is no difference', async () => {
    const patrol = start('--settle', '60s');
    await patrol.told(1);
    const undecided = async () =>
      (await patrol.metrics())['topo2topo_patrol_records_undecided{cell="global"}'];
    for (const text of ['1', '2', '3']) {
      await pair.put('source', 'global', OWNER, text);
      await until('the difference', async () => (await undecided()) === 1);
      await pair.put('destination', 'global', OWNER, text);
      await until('that it is gone', async () => (await undecided()) === 0);
    }
    await until('all writes', () => patrol.events.filter(({ type }) => type === 'write').length >= 3);
    expect(patrol.verdicts()).toEqual(['equal']);
  });

  test('what goes on moving and differing is in flight, and decides nothing', async () => {
    const patrol = start('--settle', '200ms');
    await patrol.told(1);
    let moves = 0;
    while (patrol.verdicts().length < 2) {
      await pair.put('source', 'global', OWNER, `${moves++}`);
      // Timers and connections have their turn.
      await setImmediate();
    }
    expect(patrol.verdicts()).toEqual(['equal', 'inconclusive']);
    expect(await patrol.told(3)).toEqual(['equal', 'inconclusive', 'different']);
  });

  test('reads again only what moved', async () => {
    const patrol = start();
    await patrol.told(1);
    const reread = async () =>
      (await patrol.metrics())['topo2topo_patrol_records_reread_total'] ?? Number.NaN;
    const passes = async () => (await patrol.metrics())['topo2topo_patrol_pass_duration_seconds_count'];
    const before = await reread();
    for (const cell of ['zone1', 'zone2']) {
      const last = await reread();
      await pair.put('source', cell, 'metadata/new', 'x');
      await pair.put('destination', cell, 'metadata/new', 'x');
      await until('the change', async () => (await reread()) > last);
    }
    expect((await reread()) - before).toBeLessThan(10);
    expect(await passes()).toBe(3);
  });

  test('a complete pass comes every --full-every', async () => {
    const patrol = start('--full-every', '300ms');
    await patrol.told(1);
    await until('more passes', async () => {
      const { topo2topo_patrol_pass_duration_seconds_count: passes = 0 } = await patrol.metrics();
      return passes >= 9;
    });
    expect(patrol.verdicts()).toEqual(['equal']);
  });

  test('names every write to the store that was left, but for locks and records of its own', async () => {
    const patrol = start('--authority', 'to');
    await patrol.told(1);
    const writes = () => patrol.events.filter(({ type }) => type === 'write');
    await pair.put('source', 'global', 'topo2topo/note', 'x');
    await pair.put('source', 'global', 'keyspaces/commerce/locks/1', 'x');
    await pair.put('destination', 'global', OWNER, 'ours');
    await pair.put('source', 'global', OWNER, 'of a straggler');
    await pair.put('source', 'zone2', 'metadata/made', 'x');
    await until('two writes', () => writes().length >= 2);
    await pair.drop('source', 'zone2', 'metadata/made');
    await until('three writes', () => writes().length >= 3);
    const order = ({ scope = '', path = '' }) => `${scope}:${path}`;
    expect(writes().toSorted((a, b) => (order(a) < order(b) ? -1 : Number(order(a) > order(b))))).toEqual([
      expect.objectContaining({
        side: 'source',
        scope: 'global',
        path: OWNER,
        kind: 'Metadata',
        mirrored: false,
      }),
      expect.objectContaining({ scope: 'zone2', path: 'metadata/made', version: expect.any(String) }),
      expect.objectContaining({ scope: 'zone2', path: 'metadata/made', version: null }),
    ]);
    const metrics = await patrol.metrics();
    const counted = Object.entries(metrics).filter(([name]) =>
      name.startsWith('topo2topo_patrol_writes_total'),
    );
    expect(counted.reduce((sum, [, number]) => sum + number, 0)).toBe(3);
  });

  test('with a baseline and a selection it judges as one comparison does', async () => {
    const before = `file:${pair.at('before.topo')}`;
    expect(await cli(['copy', pair.addresses[0] ?? '', before])).toMatchObject({ code: 0 });
    const patrol = start('--authority', 'to', '--baseline', before, '--cells', 'zone1,zone2');
    await patrol.told(1);
    expect(patrol.events.at(-1)).toMatchObject({
      selection: { scopes: ['zone1', 'zone2'], unread: ['global'] },
    });
    const path = 'tablets/zone1-0000000100/Tablet';
    const was = (await contents(pair.places.destination('zone1'))).get(path) ?? Buffer.of();
    const tags = encode('topodata.Tablet', { tags: { moved: 'yes' } });
    await pair.put('destination', 'zone1', path, Buffer.concat([was, tags]));
    await pair.put('destination', 'global', OWNER, 'not in the selection');
    expect(await patrol.told(2)).toEqual(['equal', 'accepted']);
    expect(patrol.events.at(-1)).toMatchObject({ classes: { advanced: 1 }, differing: [{ path }] });
    expect(await patrol.metrics()).toMatchObject({
      'topo2topo_patrol_verdict{verdict="accepted",selection="only parts zone1, zone2; not compared at all: global"}': 1,
    });
  });

  test('serves the verdict as health and as metrics', async () => {
    const patrol = start();
    await patrol.told(1);
    expect(await patrol.health()).toMatchObject({
      status: 200,
      body: { healthy: true, verdict: 'equal', why: [] },
    });
    expect(await patrol.metrics()).toMatchObject({
      'topo2topo_patrol_verdict{verdict="equal"}': 1,
      'topo2topo_patrol_verdict{verdict="different"}': 0,
      'topo2topo_patrol_readable{cell="zone1"}': 1,
      'topo2topo_patrol_watched{cell="global"}': 1,
      'topo2topo_patrol_differences{cell="zone1",class="dangerous"}': 0,
      topo2topo_patrol_verdict_changes_total: 0,
    });
    await pair.drop('destination', 'zone1', 'SrvVSchema');
    await patrol.told(2);
    expect(await patrol.health()).toMatchObject({
      status: 503,
      body: { healthy: false, verdict: 'different', why: [{ reason: 'verdict' }] },
    });
    expect(await patrol.metrics()).toMatchObject({
      'topo2topo_patrol_verdict{verdict="different"}': 1,
      'topo2topo_patrol_differences{cell="zone1",class="dangerous"}': 1,
      topo2topo_patrol_verdict_changes_total: 1,
    });
  });

  test('notices a cell that comes up', async () => {
    const patrol = start('--allow-empty-cells');
    await patrol.told(1);
    await cli([
      'cell',
      'add',
      pair.places.source('global'),
      'zone9',
      '--server-address',
      pair.places.server,
      '--root',
      '/vitess/zone9',
    ]);
    expect(await patrol.told(2)).toEqual(['equal', 'different']);
    expect(patrol.events.at(-1)?.differing?.map(({ path }) => path)).toEqual(['cells/zone9/CellInfo']);
  });
});

test('--for ends it with the last verdict, for people', async () => {
  await pair.put('source', 'global', OWNER, 'changed');
  const run = (...more: string[]) =>
    cli([
      'verify',
      ...pair.addresses,
      '--watch',
      '--interval',
      '50ms',
      '--settle',
      '100ms',
      '--for',
      '3s',
      ...more,
    ]);
  const [whole, ignored, one] = await Promise.all([
    run(),
    run('--ignore', 'metadata'),
    run('--cells', 'zone1'),
  ]);
  expect(whole.code).toBe(1);
  expect(whole.out).toMatch(
    /^verify --watch .*\n\S+Z different: 1 difference \(1 repairable\), \d+ records compared; ~ global:metadata\/owner repairable\n\S+Z ended: different, /,
  );
  expect(ignored).toMatchObject({
    code: 0,
    out: expect.stringContaining('Z accepted: 0 differences, 1 ignored'),
  });
  expect(one).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      /Z equal in a selection: .*only parts zone1; not compared at all: global, zone2/,
    ),
  });
});

test('its process ends well when it is asked to, with the verdict’s exit code, and answers no more', async () => {
  const files = ['a', 'b'].map((name) => `file:${pair.at(name)}.topo`);
  for (const file of files)
    expect(await cli(['copy', pair.addresses[0] ?? '', file])).toMatchObject({ code: 0 });
  const args = ['verify', ...files, '--watch', '--interval', '50ms', '--listen', '0', '--output', 'json'];
  const child = spawn(process.execPath, ['--import', 'tsx', TOOL, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const ended = new Promise<number | null>((resolve) => void child.once('close', resolve));
    const events: PatrolEvent[] = [];
    createInterface(child.stdout).on('line', (line) => void events.push(JSON.parse(line)));
    await until('a verdict', () => events.some(({ type }) => type === 'verdict'), 60_000);
    const url = `${events.find((event) => event.url !== undefined)?.url}/healthz`;
    expect((await fetch(url)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(events.at(-1)).toMatchObject({ type: 'end', verdict: 'equal' });
    await expect(fetch(url)).rejects.toThrow();
  } finally {
    child.kill('SIGKILL');
  }
}, 90_000);

test('flags that make no sense are refused before anything is opened', async () => {
  for (const more of [
    ['--interval', '1s'],
    ['--for', '1s'],
    ['--listen', '0'],
    ['--watch', '--interval', 'soon'],
    ['--watch', '--repair'],
    ['--watch', '--certificate', 'c.json'],
    ['--watch', '--baseline', 'c.json'],
    ['--watch', '--output', 'html'],
    ['--watch', '--listen', ':1'],
  ])
    expect(await cli(['verify', 'memory:nowhere/a', 'memory:nowhere/b', ...more])).toMatchObject({ code: 2 });
  expect(await cli(['verify', pair.addresses[0] ?? '', pair.addresses[0] ?? '', '--watch'])).toMatchObject({
    code: 4,
  });
});
