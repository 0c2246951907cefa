import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { NEWEST, parseTarget } from '../../src/graph/target.js';
import type { LintFinding } from '../../src/lint/finding.js';
import { lint } from '../../src/lint/lint.js';
import { parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { makeLockContents } from '../../src/topo/lock-contents.js';
import { Topology } from '../../src/topo/topology.js';
import { FIXTURES, fixtures } from '../support/fixtures.js';
import { plant, SETTINGS, withStore } from '../support/topologies.js';
import { edited, Planted } from './planted.js';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

async function correct(): Promise<Planted> {
  const planted = await Planted.correct();
  opened.push(planted);
  return planted;
}

async function findings(global: string, target = NEWEST): Promise<LintFinding[]> {
  const topology = await Topology.open({
    global: parseAddress(global),
    stores: storesFor(SETTINGS, 'read'),
  });
  opened.push(topology);
  const { signal } = new AbortController();
  const found: LintFinding[] = [];
  const options = { topology, cells: [], target, lockAgeMs: 3_600_000, clock: systemClock, signal };
  for await (const each of lint(options)) found.push(each);
  return found;
}

const ids = (found: readonly LintFinding[]) => found.map(({ id }) => id);

describe('what Vitess wrote itself', () => {
  for (const name of FIXTURES) {
    const records = fixtures(name);
    test.runIf(records !== undefined)(`has nothing but what was put into it: ${name}`, async () => {
      const server = `zookeeper:${randomUUID()}`;
      const at = (scope: string) => `memory://${server}/vitess/${scope}`;
      await plant(records ?? [], { global: at('global'), zone1: at('zone1'), zone2: at('zone2') });
      const found = await findings(at('global'), parseTarget(name.replace(/^vitess-v|-small$/g, '')));
      expect(found.map(({ id, scope, path, what }) => `${id} ${scope}:${path}: ${what}`).sort()).toEqual([
        // A shard's query service was disabled after the rebuild, so that a rebuild now refuses it.
        expect.stringMatching(
          /^graph-refused global:keyspaces\/orders: can't rebuild .* a migration is on going/,
        ),
        // A workflow of the manager that Vitess 16 did away with.
        expect.stringMatching(/^ignored-record global:workflows\/.*: the workflow Reshard customer/),
        // The reference tables t006 name a source that the VSchema of commerce does not have: buildKeyspaceReferences refuses it.
        'source-gone global:keyspaces/customer/VSchema: the source of table t006: commerce.t006: the VSchema of commerce has no table t006',
        'source-gone global:keyspaces/orders/VSchema: the source of table t006: commerce.t006: the VSchema of commerce has no table t006',
        // The one file that is none of Vitess's.
        'unknown-file global:custom/blob.bin: no file of Vitess',
      ]);
    });
  }
});

test('a topology without cells, and a store without anything', async () => {
  const address = `memory://zookeeper:${randomUUID()}/vitess/global`;
  await expect(findings(address)).rejects.toMatchObject({ code: 'NoNode' });
  await withStore(address, (store) => store.create('metadata/owner', Buffer.from('x')));
  expect(ids(await findings(address))).toEqual(['no-cells']);
});

describe('of a lock', () => {
  const ages = async (ageMs: number) => {
    const planted = await correct();
    const store = planted.topology.global;
    const action = { action: 'Reshard', host: 'h7', user: 'vitess', now: Date.now() - ageMs };
    const lock = await store.lock('keyspaces/orders', makeLockContents(action));
    try {
      return (await planted.lint()).found;
    } finally {
      await lock.unlock();
    }
  };

  test('that is held for long, its holder is told', async () => {
    expect(await ages(7_200_000)).toMatchObject([
      {
        id: 'lock-stale',
        path: 'keyspaces/orders',
        what: expect.stringMatching(
          /^the lock of keyspace orders is held by vitess@h7 for Reshard, since \d{4}-/,
        ),
      },
    ]);
  });

  test('that is held for a while, nothing is told', async () => {
    expect(await ages(60_000)).toEqual([]);
  });

  test('of an election, nothing is told', async () => {
    const planted = await correct();
    const store = planted.topology.global;
    const leading = await store.campaign('vtctld', 'host:15999');
    expect((await planted.lint()).found).toEqual([]);
    await leading.unlock();
  });
});

describe('some cells', () => {
  test('are read alone, and what leads into the others is not judged', async () => {
    const planted = await correct();
    await planted.change([
      edited('global:keyspaces/orders/shards/-40/Shard', { primary_alias: { cell: 'zone2', uid: 999 } }),
      edited('zone1:tablets/zone1-0000000600/Tablet', {
        type: 'REPLICA',
        primary_term_start_time: undefined,
      }),
      ['zone2:tablets-x', Buffer.from('x')],
    ]);
    const one = await planted.lint(['zone1']);
    expect(one.found).toEqual([]);
    expect(one.stores.map(({ scope }) => scope)).toEqual(['global', 'zone1']);
    expect(ids((await planted.lint(['zone2'])).found)).toEqual(['not-a-tablet', 'primary-gone']);
    await expect(planted.lint(['zone9'])).rejects.toMatchObject({ code: 'NoCell' });
  });
});

test('records are not written, and commands are ready to be given', async () => {
  const planted = await correct();
  const strange = 'custom/it’s $(here)';
  await planted.change([[`global:${strange}`, Buffer.from('x')]]);
  const { found } = await planted.lint();
  expect(found).toMatchObject([
    { id: 'unknown-file', todo: expect.stringContaining(`rm ADDRESS 'global:${strange}'`) },
  ]);
});
