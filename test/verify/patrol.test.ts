import { afterEach, beforeEach, expect, test } from 'vitest';
import { verdictLine } from '../../src/cli/patrol-text.js';
import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { encode } from '../../src/topo/codec.js';
import type { CallOptions, Connection } from '../../src/topo/connection.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import { Topology } from '../../src/topo/topology.js';
import {
  type Call,
  DelegatingConnection,
  type Delivered,
  type IteratingCall,
} from '../../src/topo/wrappers/base.js';
import { patrol } from '../../src/verify/patrol.js';
import type {
  PatrolOptions,
  PatrolState,
  SeenWrite,
  VerdictChange,
} from '../../src/verify/patrol-options.js';
import type { PatrolVerdict } from '../../src/verify/patrol-verdict.js';
import { LosingWatches } from '../copy/follower-faults.js';
import { captured } from '../support/cli.js';
import { contents, SETTINGS } from '../support/topologies.js';
import { until } from '../support/until.js';
import { CopiedPair } from './copied-pair.js';

const OWNER = 'metadata/owner';
let pair: CopiedPair;
let stop: AbortController;
beforeEach(async () => {
  pair = await CopiedPair.make();
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  pair.remove();
});

/** A store that does not answer while a test wants it. */
class Down {
  down = false;
  readonly calls: string[] = [];
  of(store: Connection): Connection {
    const self = this;
    return new (class extends DelegatingConnection {
      // As stores do, it rejects: what is thrown at once leaves the call to the other side to nobody.
      protected override async around<T>(
        call: Call<T>,
        options: CallOptions | undefined,
        next: (options: CallOptions | undefined) => Promise<T>,
      ): Promise<T> {
        self.calls.push(call.method);
        if (self.down) throw new TopologyError(ErrorCode.Unavailable, 'nobody answers', { path: call.path });
        return next(options);
      }
    })(store);
  }
}

/** A store that notes what its watches have told; whoever watches has dealt with that by then. */
class Telling {
  readonly told: Delivered[] = [];
  of(store: Connection): Connection {
    const { told } = this;
    return new (class extends DelegatingConnection {
      protected override async *aroundIteration<T extends Delivered>(
        _: IteratingCall,
        options: CallOptions | undefined,
        next: (options: CallOptions | undefined) => AsyncIterable<T>,
      ): AsyncGenerator<T> {
        for await (const item of next(options)) {
          yield item;
          told.push(item);
        }
      }
    })(store);
  }
}

type Wrap = (store: Connection, scope: string) => Connection;

async function start(more: Partial<PatrolOptions> = {}, wraps: { source?: Wrap; destination?: Wrap } = {}) {
  const open = async (side: 'source' | 'destination') => {
    const stores = storesFor(SETTINGS, 'read');
    const wrap = wraps[side] ?? ((store: Connection) => store);
    return Topology.open({
      global: parseAddress(pair.places[side]('global')),
      stores: { ...stores, open: async (place, scope) => wrap(await stores.open(place, scope), scope) },
    });
  };
  const [source, destination] = await Promise.all([open('source'), open('destination')]);
  const verdicts: PatrolVerdict[] = [];
  const writes: SeenWrite[] = [];
  const failures: unknown[] = [];
  let state: () => PatrolState | undefined = () => undefined;
  const end = patrol({
    source,
    destination,
    clock: systemClock,
    authority: 'source',
    settleMs: 100,
    failOn: 'stale',
    intervalMs: 10,
    fullEveryMs: 3_600_000,
    concurrency: 4,
    signal: stop.signal,
    onStart: (ask) => {
      state = ask;
    },
    onVerdict: ({ verdict }) => void verdicts.push(verdict),
    onWrite: (write) => void writes.push(write),
    onFailure: (_scope, error) => void failures.push(error),
    ...more,
  }).finally(() => Promise.all([source.close(), destination.close()]));
  end.catch(() => {});
  return { end, verdicts, writes, failures, state: () => state() };
}

const told = (verdicts: readonly unknown[], number: number) =>
  until(`${number} verdicts`, () => verdicts.length >= number);

test('a store that does not answer makes the verdict unknown, once, until it answers again', async () => {
  const down = new Down();
  const running = await start(
    {},
    { destination: (store, scope) => (scope === 'zone1' ? down.of(store) : store) },
  );
  await told(running.verdicts, 1);
  down.down = true;
  await told(running.verdicts, 2);
  await until('tries', () => running.failures.length >= 3);
  await pair.drop('destination', 'zone1', 'SrvVSchema');
  expect(running.state()?.parts.find(({ scope }) => scope === 'zone1')?.failure).toMatchObject({
    code: 'Unavailable',
  });
  expect(running.verdicts).toEqual(['equal', 'unknown']);
  down.down = false;
  await told(running.verdicts, 3);
  expect(running.verdicts).toEqual(['equal', 'unknown', 'different']);
});

test('a store that does not answer hides no difference elsewhere, and is told of beside it', async () => {
  const down = new Down();
  const changes: VerdictChange[] = [];
  const running = await start(
    { onVerdict: (change) => void changes.push(change) },
    { destination: (store, scope) => (scope === 'zone1' ? down.of(store) : store) },
  );
  await told(changes, 1);
  down.down = true;
  await told(changes, 2);
  await pair.put('destination', 'global', 'metadata/owner', 'theirs');
  await told(changes, 3);
  await pair.drop('destination', 'zone2', 'SrvVSchema');
  await told(changes, 4);
  expect(changes.map(({ verdict, was }) => `${was} ${verdict}`)).toEqual([
    ...['undefined equal', 'equal unknown', 'unknown different', 'different different'],
  ]);
  expect(changes.at(-1)?.differences[0]).toMatchObject({ scope: 'zone2', class: 'dangerous' });
  const last = changes.at(-1) as VerdictChange;
  expect(verdictLine(captured().io, last)).toMatch(/ different: 2 differences .*; zone1: .*\[Unavailable\]$/);
  expect(running.state()).toMatchObject({ verdict: 'different', changes: 2 });
});

test('what fails at the beginning ends it', async () => {
  const down = new Down();
  down.down = true;
  const running = await start({}, { source: (store) => down.of(store) });
  await expect(running.end).rejects.toMatchObject({ code: 'Unavailable' });
  expect(running.verdicts).toEqual([]);
});

test('a watch that is lost begins again, and what was written meanwhile is named, once', async () => {
  const watches = new LosingWatches();
  const running = await start(
    { authority: 'destination' },
    { source: (store, scope) => (scope === 'global' ? watches.of(store) : store) },
  );
  await told(running.verdicts, 1);
  await watches.lose(2, async () => {
    await pair.put('source', 'global', OWNER, 'of a straggler');
    await pair.drop('source', 'global', 'RoutingRules');
  });
  await until('two writes', () => running.writes.length >= 2);
  await told(running.verdicts, 2);
  await until('a restart', () => running.state()?.restarts === 1);
  stop.abort();
  expect(await running.end).toMatchObject({ verdict: 'different', writes: 2, restarts: 1 });
  const named = running.writes.map(({ path, version, mirrored }) => ({
    path,
    isThere: version !== undefined,
    mirrored,
  }));
  expect(named.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
    { path: 'RoutingRules', isThere: false, mirrored: false },
    { path: OWNER, isThere: true, mirrored: false },
  ]);
});

test('where a store tells of no changes, complete passes find them', async () => {
  const mute: Wrap = (store) =>
    new (class extends DelegatingConnection {
      override get capabilities() {
        return { ...super.capabilities, watchRecursive: false };
      }
    })(store);
  const running = await start({ fullEveryMs: 100 }, { source: mute, destination: mute });
  await told(running.verdicts, 1);
  expect(running.state()?.parts.every(({ watched }) => !watched)).toBe(true);
  await pair.put('destination', 'global', OWNER, 'theirs');
  await told(running.verdicts, 2);
  expect(running.verdicts).toEqual(['equal', 'different']);
  await until('the write', () => running.writes.length >= 1);
  expect(running.writes).toMatchObject([{ path: OWNER, side: 'destination', mirrored: false }]);
});

test('while nothing moves a store is asked for its position, and nothing else', async () => {
  const counted = new Down();
  const running = await start(
    { intervalMs: 50 },
    { source: (store, scope) => (scope === 'zone2' ? counted.of(store) : store) },
  );
  await told(running.verdicts, 1);
  const before = counted.calls.length;
  await until('looks', () => counted.calls.length >= before + 10);
  expect(new Set(counted.calls.slice(before))).toEqual(new Set(['position']));
});

test('differences of every record are held without their contents, and let go of', async () => {
  const running = await start();
  await told(running.verdicts, 1);
  const paths = Array.from({ length: 600 }, (_, n) => `metadata/many-${n}`);
  for (const path of paths) await pair.put('destination', 'zone1', path, 'x'.repeat(100));
  await until(
    'all',
    () => running.state()?.parts.some(({ classes }) => classes.get('repairable') === 600) === true,
  );
  for (const path of paths) await pair.drop('destination', 'zone1', path);
  await told(running.verdicts, 3);
  expect(running.verdicts).toEqual(['equal', 'different', 'equal']);
  // What moved again while it was read is told of in a later round than the verdict.
  await until('every write', () => running.writes.length >= 1200);
  stop.abort();
  expect(await running.end).toMatchObject({ verdict: 'equal', writes: 1200 });
});

test('sides that both come to hold nothing are not equal: a login that lets nothing be seen shows the same', async () => {
  const running = await start({ settleMs: 60_000 });
  await told(running.verdicts, 1);
  for (const scope of ['global', 'zone1', 'zone2'])
    for (const side of ['source', 'destination'] as const)
      for (const path of (await contents(pair.places[side](scope))).keys())
        await pair.drop(side, scope, path);
  // Nothing may have been found out while the cells went, too.
  await until('why', () => `${running.state()?.failure}`.includes('nothing was compared'));
  expect(running.verdicts.at(-1)).toBe('unknown');
  expect(running.verdicts).not.toContain('different');
});

test.each([
  ['kinds', { kinds: new Set(['Tablet'] as const) }],
  ['keyspaces', { keyspaces: new Set(['commerce']) }],
  ['cells', { scopes: new Set(['zone1']) }],
])('narrowed by %s, it notices a cell that moves', async (_, narrowing) => {
  const running = await start(narrowing);
  await told(running.verdicts, 1);
  const moved = {
    server_address: pair.places.destination('zone1').split('/')[2] ?? '',
    root: '/moved/zone1',
  };
  await pair.put('destination', 'global', 'cells/zone1/CellInfo', encode('topodata.CellInfo', moved));
  await told(running.verdicts, 2);
  expect(running.verdicts).toEqual(['equal', 'different']);
});

test('of a cell, that neither side has any more, it knows nothing', async () => {
  const running = await start({ scopes: new Set(['zone1']) });
  await told(running.verdicts, 1);
  for (const side of ['source', 'destination'] as const)
    await pair.drop(side, 'global', 'cells/zone1/CellInfo');
  await until('unknown', () => running.verdicts.at(-1) === 'unknown');
});

test('of a keyspace, it notices a tablet that leaves it on one side', async () => {
  const running = await start({ keyspaces: new Set(['commerce']) });
  await told(running.verdicts, 1);
  const tablet = { alias: { cell: 'zone1', uid: 100 }, keyspace: 'customer', shard: '-80', hostname: 'h' };
  await pair.put('source', 'zone1', 'tablets/zone1-0000000100/Tablet', encode('topodata.Tablet', tablet));
  await told(running.verdicts, 2);
  expect(running.verdicts).toEqual(['equal', 'different']);
});

test('a write that was seen is told of, when the patrol ends before it could be judged', async () => {
  const telling = new Telling();
  const running = await start(
    { authority: 'destination', intervalMs: 3_600_000 },
    { source: (store, scope) => (scope === 'global' ? telling.of(store) : store) },
  );
  await told(running.verdicts, 1);
  await pair.put('source', 'global', OWNER, 'of a straggler');
  const written = Buffer.from('of a straggler');
  await until('the write is seen', () =>
    telling.told.some(
      (item) => 'value' in item && item.value !== undefined && written.equals(item.value.bytes),
    ),
  );
  expect(running.writes).toEqual([]);
  stop.abort();
  expect(await running.end).toMatchObject({ writes: 1 });
  expect(running.writes).toMatchObject([{ path: OWNER, mirrored: undefined }]);
});
