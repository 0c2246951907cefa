import { describe, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import type { FreezeState } from '../../src/copy/freeze-options.js';
import { lockOrder } from '../../src/copy/freeze-order.js';
import { parseAddress } from '../../src/topo/address.js';
import { isTopologyError } from '../../src/topo/errors.js';
import { parseLockContents } from '../../src/topo/lock-contents.js';
import { eventually } from '../conformance/tools.js';
import { SETTINGS, withStore } from '../support/topologies.js';
import { frozenPair } from './freeze-tools.js';

const FLAVOURS = ['zookeeper', 'etcd', 'consul'];
const STEPS: readonly FreezeState['step'][] = [
  'sealing',
  'copying',
  'verifying',
  'checking',
  'holding',
  'releasing',
];
const LOCKED = [
  ...['commerce', 'customer', 'orders'].map((keyspace) => `keyspaces/${keyspace}`),
  'keyspaces/commerce/shards/0',
  ...['-80', '80-'].map((shard) => `keyspaces/customer/shards/${shard}`),
  ...['-40', '-80', '40-80', '80-'].map((shard) => `keyspaces/orders/shards/${shard}`),
];

test('locks have one order: keyspaces, shards, routing rules, each in byte order', () => {
  const shards = new Map([
    ['b', ['80-', '-80']],
    ['a', ['0']],
  ]);
  expect(lockOrder(shards)).toEqual([
    'keyspaces/a',
    'keyspaces/b',
    'keyspaces/a/shards/0',
    'keyspaces/b/shards/-80',
    'keyspaces/b/shards/80-',
    'routing_rules',
  ]);
});

describe.each(FLAVOURS)('a freeze of %s', (flavour) => {
  test('locks everything, copies what differs, compares, and gives all back', async () => {
    const { source, run, held, memory, bytesIn, destination } = await frozenPair(flavour);
    const steps: string[] = [];
    let entries: string[] = [];
    let said: string[] = [];
    const result = await run(
      {
        holdMs: 1,
        onStep({ step }) {
          steps.push(step);
          if (step !== 'verifying') return;
          entries = held();
          said = entries.map((key) => Buffer.from(memory.record(key)?.bytes ?? []).toString());
        },
      },
      () =>
        withStore(source('global'), async (store) => {
          await store.update('metadata/owner', Buffer.from('changed'), null);
          await store.delete('RoutingRules', null);
          await store.create('metadata/new', new Uint8Array());
        }),
    );
    expect(steps).toEqual(['preparing', 'locking', ...STEPS]);
    expect(result.report.equal).toBe(true);
    expect(result).toMatchObject({
      written: 3,
      quiesced: true,
      tries: 1,
      waiting: [],
      left: [],
      sealed: [],
    });
    expect([...result.locked].sort()).toEqual([...LOCKED, 'routing_rules'].sort());
    expect(entries).toHaveLength(LOCKED.length + 1);
    expect(said.map((text) => parseLockContents(text)?.action)).toEqual(
      entries.map(() => 'topo2topo freeze'),
    );
    expect(parseLockContents(said[0] ?? '')?.host).toBe('host-1');
    expect(held()).toEqual([]);
    expect(Buffer.from(bytesIn(destination('global'), 'metadata/owner') ?? []).toString()).toBe('changed');
  });

  test('without a seal certifies nothing when somebody who ignores locks writes, at whatever moment', async () => {
    const outcomes = new Set<string>();
    for (let at = 1; ; at++) {
      const { source, run, held, memory, bytesIn, destination } = await frozenPair(flavour);
      const { deliver } = memory;
      let step: FreezeState['step'] = 'locking';
      let arrivals = 0;
      let wroteIn: FreezeState['step'] | undefined;
      memory.deliver = (arrive) =>
        deliver(() => {
          if (step !== 'locking' && ++arrivals === at) {
            wroteIn = step;
            const steps = memory.put('vitess/zone1/SrvVSchema', Buffer.from('new'), 'vitess/zone1');
            while (steps.next().done !== true);
          }
          arrive();
        });
      const before = bytesIn(source('zone1'), 'SrvVSchema');
      const failure: unknown = await run({
        seal: 'never',
        onStep: (state) => {
          step = state.step;
        },
        // The bytes are no SrvVSchema.
        overrules: { undecodable: true },
      }).then(
        () => undefined,
        (error: unknown) => error,
      );
      memory.deliver = deliver;
      expect(held()).toEqual([]);
      const there = bytesIn(destination('zone1'), 'SrvVSchema');
      if (wroteIn === undefined) {
        expect(failure).toBeUndefined();
        break;
      }
      if (failure !== undefined) {
        outcomes.add('failed');
        expect(failure).toMatchObject({ code: 'Guard' });
        expect(String(failure)).toContain('zone1:SrvVSchema');
        continue;
      }
      // It came before all reading, or after the last: what is certified was so at one moment.
      outcomes.add(wroteIn);
      const isBefore = Buffer.compare(there ?? Buffer.alloc(0), Buffer.from('new')) === 0;
      if (!isBefore) {
        expect(['checking', 'releasing']).toContain(wroteIn);
        expect(there).toEqual(before);
      } else expect(wroteIn).toBe('copying');
    }
    expect(outcomes).toContain('failed');
  });

  test('with a seal lets nobody write until it is given back, and has what was written before', async () => {
    const outcomes = new Set<string>();
    for (let at = 1; !outcomes.has('releasing'); at++) {
      const { source, run, held, memory, bytesIn, destination } = await frozenPair(flavour);
      const { deliver } = memory;
      let step: FreezeState['step'] = 'locking';
      let arrivals = 0;
      let outcome: string | undefined;
      memory.deliver = (arrive) =>
        deliver(() => {
          if (step !== 'locking' && step !== 'preparing' && ++arrivals === at) {
            outcome = step;
            try {
              const steps = memory.put('vitess/zone1/SrvVSchema', Buffer.from('new'), 'vitess/zone1');
              while (steps.next().done !== true);
            } catch (error) {
              expect(error).toMatchObject({ code: 'Unauthorized' });
              outcome = 'refused';
            }
          }
          arrive();
        });
      const result = await run({
        onStep: (state) => {
          step = state.step;
        },
        overrules: { undecodable: true },
      });
      memory.deliver = deliver;
      expect(result).toMatchObject({ quiesced: true, sealed: [], left: [] });
      expect(held()).toEqual([]);
      expect(memory.seals.size).toBe(0);
      outcomes.add(outcome ?? 'releasing');
      if (outcome === 'sealing' || outcome === 'refused')
        expect(bytesIn(destination('zone1'), 'SrvVSchema')).toEqual(bytesIn(source('zone1'), 'SrvVSchema'));
    }
    expect(outcomes).toContain('refused');
    expect(outcomes).toContain('sealing');
    expect([...outcomes].filter((each) => ['copying', 'verifying', 'checking'].includes(each))).toEqual([]);
  });

  test('gives all back at another’s lock, tries again, and has them all when that is given back', async () => {
    const { source, run, held } = await frozenPair(flavour);
    await withStore(source('global'), async (store) => {
      const dir = 'keyspaces/orders/shards/40-80';
      const lock = await store.tryLock(dir, '{"Action":"PlannedReparentShard","HostName":"host-7"}');
      let seen: string[] = [];
      let told = '';
      const result = await run({
        async onStep({ missed }) {
          if (missed === undefined || told !== '') return;
          told = missed.holder;
          seen = held();
          await lock.unlock();
        },
      });
      expect(told).toBe(`${dir}, by PlannedReparentShard on host-7`);
      expect(seen.map((key) => key.includes('orders/shards/40-80'))).toEqual([true]);
      expect(result.tries).toBeGreaterThan(1);
      expect(result.report.equal).toBe(true);
    });
    expect(held()).toEqual([]);
  });

  test('gives up when another’s lock stays, and names it', async () => {
    const { source, run, held } = await frozenPair(flavour);
    await withStore(source('global'), async (store) => {
      await store.tryLock('keyspaces/commerce', '{"Action":"RebuildKeyspace"}');
      await expect(run({ timeoutMs: 6_000 })).rejects.toMatchObject({
        code: 'Guard',
        path: 'keyspaces/commerce',
        message: expect.stringMatching(
          /not to be had together in 6 s .*keyspaces\/commerce, by RebuildKeyspace/,
        ),
      });
      expect(held()).toHaveLength(1);
    });
  });

  test('is refused at once while a named lock is held', async () => {
    const { source, run, held } = await frozenPair(flavour);
    await withStore(source('global'), async (store) => {
      await store.lockName('orders/reshard', '{"Action":"SwitchTraffic"}');
      await expect(run()).rejects.toMatchObject({
        code: 'Guard',
        message: expect.stringMatching(/a named lock is held: SwitchTraffic/),
      });
      expect(held()).toHaveLength(1);
    });
  });

  test('fails loudly when a lock is lost, in any step', async () => {
    for (const lostIn of STEPS.filter((step) => step !== 'releasing')) {
      const { run, held, memory } = await frozenPair(flavour);
      const told: unknown[] = [];
      const failure = await run({
        holdMs: 60_000,
        // Before it is given back: that may take long.
        onLost: (error) => told.push(error, memory.seals.size > 0),
        onStep({ step }) {
          if (step !== lostIn) return;
          const owner = memory.record(held()[0] ?? '')?.owner ?? '';
          memory.expireSession(owner);
        },
      }).catch((error: unknown) => error);
      expect(isTopologyError(failure, 'LockLost'), `${lostIn}: ${failure}`).toBe(true);
      expect(told).toEqual(lostIn === 'holding' ? [failure, true] : []);
      expect(held()).toEqual([]);
    }
  });
});

test('an interrupt in any step gives all back; while the locks are only kept it ends well', async () => {
  for (const step of STEPS.slice(0, 5)) {
    const { run, held } = await frozenPair('etcd');
    const abort = new AbortController();
    const outcome = await run({
      holdMs: 60_000,
      signal: abort.signal,
      onStep: (state) => {
        if (state.step === step) abort.abort();
      },
    }).then(
      ({ report }) => report.equal,
      (error: unknown) => (isTopologyError(error) ? error.code : error),
    );
    expect(outcome).toBe(step === 'holding' ? true : 'Interrupted');
    expect(held()).toEqual([]);
  }
});

test('locks and all that is done under them have one time together', async () => {
  const { source, run, held } = await frozenPair('etcd');
  await withStore(source('global'), async (store) => {
    const lock = await store.tryLock('keyspaces/commerce', '{"Action":"RebuildKeyspace"}');
    let begun: number | undefined;
    const timeoutMs = 4_000;
    const late = run({
      timeoutMs,
      async onStep({ step, missed }) {
        begun ??= Date.now();
        const over = begun + timeoutMs;
        if (missed !== undefined && Date.now() > over - timeoutMs / 2) await lock.unlock();
        if (step === 'verifying')
          await eventually('it is late', async () => expect(Date.now()).toBeGreaterThan(over + 50));
      },
    });
    await expect(late).rejects.toMatchObject({
      code: 'Timeout',
      message: expect.stringMatching(/within 4 s/),
    });
  });
  expect(held()).toEqual([]);
});

test('a seal that is wanted fails where it cannot be had; one that is not wanted is not put on', async () => {
  const { run, memory } = await frozenPair('etcd');
  memory.seals.set('vitess/zone2', {
    scope: 'cell',
    seal: { id: 'x', host: 'host-2', user: undefined, since: 0, whole: true, exempt: [] },
  });
  await expect(run()).rejects.toMatchObject({
    code: 'NodeExists',
    message: expect.stringMatching(/sealed already, by host-2/),
  });
  expect([...memory.seals.keys()]).toEqual(['vitess/zone2']);
  const result = await run({ seal: 'never' });
  expect(result).toMatchObject({ quiesced: false, notSealed: 'it was not asked for' });
});

test('a seal that somebody takes off fails the freeze, in any step', async () => {
  for (const lostIn of ['copying', 'verifying', 'checking', 'holding']) {
    const { run, held, memory, source } = await frozenPair('zookeeper');
    const failure = await run({
      holdMs: lostIn === 'holding' ? 1 : 0,
      async onStep({ step }) {
        if (step === lostIn) await withStore(source('zone1'), (store) => store.unseal());
      },
    }).catch((error: unknown) => error);
    expect(failure, lostIn).toMatchObject({ code: 'LockLost', path: 'topo2topo/seal' });
    expect(held()).toEqual([]);
    expect(memory.seals.size).toBe(0);
  }
});

test('a write to a source that is only kept is told at once, and fails the freeze', async () => {
  const { run, held, source } = await frozenPair('etcd');
  const abort = new AbortController();
  const told: string[] = [];
  const failure = await run({
    seal: 'never',
    holdMs: 60_000,
    signal: abort.signal,
    onStep({ step }) {
      if (step !== 'holding') return;
      void withStore(source('zone1'), async (store) => {
        await store.create('tablets/zone1-0000000999/Tablet', new Uint8Array());
        await store.delete('SrvVSchema', null);
      });
    },
    onWrite(path) {
      told.push(path);
      if (told.length === 2) abort.abort();
    },
  }).catch((error: unknown) => error);
  expect(told.sort()).toEqual(['zone1:SrvVSchema', 'zone1:tablets/zone1-0000000999/Tablet']);
  expect(failure).toMatchObject({
    code: 'Guard',
    message: expect.stringMatching(/after it was certified.*zone1:SrvVSchema/),
  });
  expect(held()).toEqual([]);
});

test('what takes too long gives up by itself', async () => {
  const { run, held } = await frozenPair('zookeeper');
  const timeoutMs = 2_000;
  const late = run({
    timeoutMs,
    onStep: ({ step, since = 0 }) =>
      step === 'verifying'
        ? eventually('it is late', async () => expect(Date.now()).toBeGreaterThan(since + timeoutMs + 50))
        : undefined,
  });
  await expect(late).rejects.toMatchObject({ code: 'Timeout', message: expect.stringMatching(/within 2 s/) });
  expect(held()).toEqual([]);
});

test('so does one whose time is over before it has the locks, whatever it was about to do', async () => {
  const { run, held } = await frozenPair('zookeeper');
  await expect(run({ timeoutMs: 1 })).rejects.toMatchObject({
    code: 'Timeout',
    message: expect.stringMatching(/within 0.001 s/),
    hint: expect.stringContaining('--freeze-timeout'),
  });
  expect(held()).toEqual([]);
});

test('elections and those who wait for its locks stop nothing, and the latter are named', async () => {
  const { run, memory, held } = await frozenPair('etcd');
  const result = await run({
    onStep({ step }) {
      if (step !== 'copying') return;
      const [entry = ''] = held().filter((key) => key.includes('keyspaces/commerce/locks'));
      memory.putEphemeral(`${entry.slice(0, entry.lastIndexOf('/'))}/zzz`, Buffer.from('{}'));
      memory.putEphemeral('vitess/global/elections/vtctld/locks/1', Buffer.from('x'));
    },
  });
  expect(result.report.equal).toBe(true);
  expect(result.waiting).toEqual(['keyspaces/commerce/locks/zzz']);
});

test('a lock that is none of its own stops it', async () => {
  const { run, memory, held } = await frozenPair('zookeeper');
  const failure = run({
    onStep({ step }) {
      if (step === 'copying')
        memory.putEphemeral('vitess/global/internal/named_locks/orders/x/locks/1', Buffer.from('{}'));
    },
  });
  await expect(failure).rejects.toThrow(/locks are held in the source: global:internal\/named_locks/);
  expect(held()).toHaveLength(1);
});

test('what somebody else wrote to the destination since it was copied is named, and left', async () => {
  const { run, source, destination, held, bytesIn } = await frozenPair('zookeeper');
  const failure = run({}, async () => {
    const write = (address: string, text: string) =>
      withStore(address, (store) => store.update('metadata/owner', Buffer.from(text), null));
    await write(source('global'), 'ours');
    await write(destination('global'), 'theirs');
  });
  await expect(failure).rejects.toThrow(/somebody else changed records of the destination.*metadata\/owner/);
  expect(Buffer.from(bytesIn(destination('global'), 'metadata/owner') ?? []).toString()).toBe('theirs');
  expect(held()).toEqual([]);
});

test('a source that is opened to be frozen takes locks, and no writes', async () => {
  const { source, bytesIn } = await frozenPair('zookeeper');
  const store = await storesFor(SETTINGS, 'lock').open(parseAddress(source('global')), 'global');
  try {
    const before = bytesIn(source('global'), 'metadata/owner');
    await expect(store.update('metadata/owner', Buffer.from('x'), null)).rejects.toMatchObject({
      code: 'ReadOnly',
    });
    await expect(
      store.write([{ type: 'delete', path: 'metadata/owner', version: null }]),
    ).rejects.toMatchObject({
      code: 'ReadOnly',
    });
    expect(bytesIn(source('global'), 'metadata/owner')).toEqual(before);
    await (await store.tryLock('keyspaces/commerce', 'x')).unlock();
  } finally {
    await store.close();
  }
});
