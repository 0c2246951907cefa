import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { FollowJournal } from '../../src/cli/follow-journal.js';
import { storesFor } from '../../src/cli/stores.js';
import { applyCopy, planCopy } from '../../src/copy/copy.js';
import { Journal } from '../../src/copy/journal.js';
import type { Ledger } from '../../src/copy/ledger.js';
import type { CopyOptions } from '../../src/copy/options.js';
import type { Part } from '../../src/copy/parts.js';
import { parseAddress } from '../../src/topo/address.js';
import type { Stores } from '../../src/topo/backend.js';
import { systemClock } from '../../src/topo/clock.js';
import type { CallOptions, Capabilities } from '../../src/topo/connection.js';
import { Topology } from '../../src/topo/topology.js';
import { Version } from '../../src/topo/version.js';
import { type Call, DelegatingConnection } from '../../src/topo/wrappers/base.js';
import { contents, SETTINGS, withStore } from '../support/topologies.js';

const KILLED = new Error('killed');
const SCOPES = ['global', 'zone1', 'zone2'];
let folder: string;
let file: string;
let zookeeper: string;
let etcd: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  file = join(folder, 'copy.journal');
  [zookeeper, etcd] = [`zookeeper:${randomUUID()}`, `etcd:${randomUUID()}`];
  for (const scope of SCOPES)
    await withStore(`memory://${zookeeper}/vitess/${scope}`, async (store) => {
      for (const record of sampleTopology(zookeeper).filter((each) => each.scope === scope))
        await store.create(record.path, record.bytes);
    });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A destination whose user dies at the nth write, which is applied or not. */
class Dying extends DelegatingConnection {
  static writes = 0;
  static at = Number.POSITIVE_INFINITY;
  static applied = true;

  /** Many small transactions: many places to die at. */
  override get capabilities(): Capabilities {
    return { ...super.capabilities, batch: { ...super.capabilities.batch, maxOps: 3 } };
  }

  protected override async around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    if (call.kind !== 'write') return next(options);
    Dying.writes += 1;
    if (Dying.writes > Dying.at) throw KILLED;
    if (Dying.writes < Dying.at) return next(options);
    if (Dying.applied) await next(options);
    throw KILLED;
  }
}

async function copy({ resume = false, more = {} }: { resume?: boolean; more?: Partial<CopyOptions> } = {}) {
  const writing = storesFor(SETTINGS, 'write');
  const stores: Stores = {
    ...writing,
    open: async (address, scope) => new Dying(await writing.open(address, scope)),
  };
  const at = (server: string) => parseAddress(`memory://${server}/vitess/global`);
  const source = await Topology.open({ global: at(zookeeper), stores: storesFor(SETTINGS, 'read') });
  const destination = await Topology.open({ global: at(etcd), stores });
  const journal = Journal.open(file, { from: zookeeper, to: etcd });
  const options: CopyOptions = {
    source,
    destination,
    rule: { given: new Map(), root: '/vitess/{cell}' },
    clock: systemClock,
    concurrency: 1,
    lastRun: journal.lastRun,
    ledgers: resume ? journal.ledgers : undefined,
    beforeWrite: async (scope, entries) => journal.writing(scope, entries),
    ...more,
  };
  try {
    const prepared = await planCopy(options);
    journal.begin(resume, {}, prepared);
    const result = await applyCopy(prepared, options);
    journal.done(prepared.plan);
    return result;
  } finally {
    journal.close();
    await Promise.all([source.close(), destination.close()]);
  }
}

async function tree(server: string): Promise<[string, Map<string, Buffer>][]> {
  return Promise.all(
    SCOPES.map(async (scope) => [scope, await contents(`memory://${server}/vitess/${scope}`)] as const),
  ).then((trees) => trees.map(([scope, found]) => [scope, withoutAddresses(found)]));
}

function withoutAddresses(found: Map<string, Buffer>): Map<string, Buffer> {
  return new Map([...found].filter(([path]) => !path.endsWith('/CellInfo')));
}

describe('a copy that is killed', () => {
  beforeEach(() => {
    Dying.writes = 0;
    Dying.at = Number.POSITIVE_INFINITY;
  });

  test.each([true, false])(
    'at any write (applied: %s) goes on with its journal, and ends as an undisturbed one, whatever the source does meanwhile',
    async (applied) => {
      await copy();
      const { writes } = Dying;
      expect(writes).toBeGreaterThan(15);
      for (let at = 1; at <= writes; at++) {
        etcd = `etcd:${randomUUID()}`;
        await rm(file, { force: true });
        Object.assign(Dying, { writes: 0, at, applied });
        await expect(copy()).rejects.toThrow('killed');
        Dying.at = Number.POSITIVE_INFINITY;
        // What the killed one may have written is changed, and deleted, before it goes on.
        await withStore(`memory://${zookeeper}/vitess/global`, async (store) => {
          await store.update('metadata/owner', Buffer.from(`at ${at}`), null);
          await store.create('metadata/short-lived', Buffer.from('x'));
          await store.delete('metadata/short-lived', null);
        });
        await copy({ resume: true });
        expect(await tree(etcd)).toEqual(await tree(zookeeper));
      }
    },
  );

  test('leaves records that the source does not have any more: with the journal they are its own, without they are named', async () => {
    await withStore(`memory://${zookeeper}/vitess/global`, (store) =>
      store.create('metadata/short-lived', Buffer.from('x')),
    );
    const vanish = async () =>
      withStore(`memory://${zookeeper}/vitess/global`, (store) => store.delete('metadata/short-lived', null));
    await copy();
    const { writes } = Dying;
    etcd = `etcd:${randomUUID()}`;
    await rm(file, { force: true });
    Object.assign(Dying, { writes: 0, at: writes, applied: false });
    await expect(copy()).rejects.toThrow('killed');
    Dying.at = Number.POSITIVE_INFINITY;
    await vanish();
    await expect(copy()).rejects.toThrow(/does not: global:metadata\/short-lived/);
    await copy({ resume: true });
    expect(await tree(etcd)).toEqual(await tree(zookeeper));
  });
});

test('a source that lost much while an interrupted copy lay there is not deleted after it', async () => {
  Object.assign(Dying, { writes: 0, at: Number.POSITIVE_INFINITY });
  await copy();
  const { writes } = Dying;
  etcd = `etcd:${randomUUID()}`;
  await rm(file, { force: true });
  Object.assign(Dying, { writes: 0, at: writes, applied: true });
  await expect(copy()).rejects.toThrow('killed');
  Dying.at = Number.POSITIVE_INFINITY;
  const tablets = () => contents(`memory://${etcd}/vitess/zone2`).then((found) => found.size);
  const before = await tablets();
  await withStore(`memory://${zookeeper}/vitess/zone2`, async (store) => {
    for await (const { records } of store.scan('tablets'))
      for (const { path } of records.slice(1)) await store.delete(path, null);
  });
  await expect(copy({ resume: true })).rejects.toThrow(
    /more than a tenth .*: zone2: Tablet, \d+ of \d+; zone2: Tablet of/,
  );
  expect(await tablets()).toBe(before);
  await copy({ resume: true, more: { overrules: { shrunk: true } } });
  expect(await tree(etcd)).toEqual(await tree(zookeeper));
});

test('what was equal when a copy began is its own after a kill, too, as it is without one', async () => {
  await copy();
  await rm(file, { force: true });
  await withStore(`memory://${zookeeper}/vitess/global`, (store) =>
    store.update('metadata/made', Buffer.from('x'), null),
  );
  Object.assign(Dying, { writes: 0, at: 1, applied: false });
  await expect(copy()).rejects.toThrow('killed');
  Dying.at = Number.POSITIVE_INFINITY;
  await withStore(`memory://${zookeeper}/vitess/global`, (store) => store.delete('metadata/owner', null));
  await copy({ resume: true });
  expect(await tree(etcd)).toEqual(await tree(zookeeper));
});

test('what somebody else wrote since an interrupted copy began is named, and left as it is', async () => {
  await withStore(`memory://${etcd}/vitess/global`, async (store) => {
    // There before: the copy may replace it.
    await store.create('metadata/owner', Buffer.from('before'));
  });
  Object.assign(Dying, { writes: 0, at: 6, applied: true });
  await expect(copy()).rejects.toThrow('killed');
  Dying.at = Number.POSITIVE_INFINITY;
  const theirs = (path: string) =>
    withStore(`memory://${etcd}/vitess/global`, (store) => store.update(path, Buffer.from('theirs'), null));
  await theirs('metadata/owner');
  await theirs('custom/dashboard.bin');
  await expect(copy({ resume: true })).rejects.toThrow(
    /somebody else.*custom\/dashboard.bin is foreign.*metadata\/owner is foreign/,
  );
  expect((await contents(`memory://${etcd}/vitess/global`)).get('metadata/owner')?.toString()).toBe('theirs');
  await copy();
  expect(await tree(etcd)).toEqual(await tree(zookeeper));
});

test('what somebody else deleted since an interrupted copy began is named, and not brought back', async () => {
  await withStore(`memory://${etcd}/vitess/global`, (store) =>
    store.create('metadata/owner', Buffer.from('before')),
  );
  Object.assign(Dying, { writes: 0, at: 6, applied: true });
  await expect(copy()).rejects.toThrow('killed');
  Dying.at = Number.POSITIVE_INFINITY;
  await withStore(`memory://${etcd}/vitess/global`, (store) => store.delete('metadata/owner', null));
  await expect(copy({ resume: true })).rejects.toThrow(
    /somebody else.*metadata\/owner is foreign.*somebody deleted/,
  );
  await copy();
  expect(await tree(etcd)).toEqual(await tree(zookeeper));
});

test('of two states that interrupted runs may have written, either is known as their own', async () => {
  await copy();
  const run = (text: string, resume: boolean) => {
    const journal = Journal.open(file, { from: zookeeper, to: etcd });
    journal.begin(resume, {});
    const bytes = Buffer.from(text);
    const entry = { action: 'update', path: 'metadata/owner', kind: 'Metadata', bytes, reason: '' } as const;
    journal.writing('global', [{ ...entry, source: undefined, destination: undefined }]);
    journal.close();
  };
  // The first was carried out, the second never sent; then the source loses the record.
  run('first', false);
  run('second', true);
  await withStore(`memory://${etcd}/vitess/global`, (store) =>
    store.update('metadata/owner', Buffer.from('first'), null),
  );
  await withStore(`memory://${zookeeper}/vitess/global`, (store) => store.delete('metadata/owner', null));
  await copy({ resume: true, more: { overrules: { shrunk: true } } });
  expect(await tree(etcd)).toEqual(await tree(zookeeper));
});

test('the next run is compared with what the last one found', async () => {
  Dying.at = Number.POSITIVE_INFINITY;
  await copy();
  await withStore(`memory://${zookeeper}/vitess/zone1`, async (store) => {
    for await (const { records } of store.scan('tablets'))
      for (const { path } of records.slice(1)) await store.delete(path, null);
  });
  await expect(copy()).rejects.toThrow(
    /less than at the last run, by more than a tenth: zone1: Tablet, 1 after/,
  );
  await copy({ more: { overrules: { shrunk: true, extra: true } } });
});

test('a journal of another migration, and a file that is none, are refused', async () => {
  const journal = Journal.open(file, { from: 'a', to: 'b' });
  journal.begin(false, {});
  journal.close();
  expect(() => Journal.open(file, { from: 'a', to: 'c' })).toThrow(/another migration, from a to b/);
  // One has no end, and all of them would be replaced by a file.
  for (const device of ['/dev/null', '/dev/zero', '/tmp'])
    expect(() => Journal.open(device, { from: 'a', to: 'b' })).toThrow(/is no regular file/);
  await writeFile(file, 'no journal\n');
  expect(() => Journal.open(file, { from: 'a', to: 'b' })).toThrow(/no journal/);
});

test.each([
  '{"type":"done"}',
  '{"type":"found","scope":"global"}',
  '{"type":"writing","scope":"global","records":[1,2]}',
  '{"type":"witness"}',
  '[]',
  'null',
])('a journal that was altered is refused, and the line is named: %s', async (line) => {
  await copy();
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  await writeFile(file, [...lines, line].join('\n'));
  expect(() => Journal.open(file, { from: zookeeper, to: etcd })).toThrow(
    expect.objectContaining({
      code: 'Usage',
      message: expect.stringContaining(`no journal of a copy, from line ${lines.length + 1} on`),
    }),
  );
});

test.runIf(existsSync('/dev/full'))(
  'a disk that is full stops a copy at its journal, resumed or not',
  async () => {
    const full = expect.objectContaining({ code: 'Guard', message: expect.stringContaining('ENOSPC') });
    await symlink('/dev/full', `${file}.new`);
    expect(() => Journal.open(file, { from: 'a', to: 'b' }).begin(false, {})).toThrow(full);
    await writeFile(
      file,
      '{"type":"journal","version":1,"from":"a","to":"b"}\n{"type":"writing","scope":"global","records":[["x","y"]]}\n',
    );
    const interrupted = Journal.open(file, { from: 'a', to: 'b' });
    await rm(file);
    await symlink('/dev/full', file);
    expect(() => interrupted.begin(true, {})).toThrow(full);
  },
);

test('a line that was cut is none, and holds no contents of records', async () => {
  Dying.at = Number.POSITIVE_INFINITY;
  await copy();
  expect(await readFile(file, 'utf8')).not.toContain('platform team');
  await appendFile(file, '{"type":"writing","scope":"glo');
  const journal = Journal.open(file, { from: zookeeper, to: etcd });
  expect(journal.interrupted).toBe(false);
  expect(journal.lastRun?.get('global')?.of('Keyspace')).toBeGreaterThan(0);
});

test('a follower’s journal is written anew after 100,000 records, and one that is killed still knows its own', async () => {
  await copy();
  await rm(file);
  const at = (server: string) => parseAddress(`memory://${server}/vitess/global`);
  const stores = storesFor(SETTINGS, 'read');
  const source = await Topology.open({ global: at(zookeeper), stores });
  const destination = await Topology.open({ global: at(etcd), stores });
  const rule = { given: new Map(), root: '/vitess/{cell}' };
  const options: CopyOptions = { source, destination, rule, clock: systemClock, concurrency: 1 };
  const migration = { from: zookeeper, to: etcd };
  const journal = Journal.open(file, migration);
  const follower = new FollowJournal(journal);
  const prepared = await planCopy(options);
  await follower.begin(false, prepared, options);
  const { ledger } = prepared.parts.find(({ scope }) => scope === 'zone1') as Part;

  const path = (n: number) => `tablets/zone1-${n}/Tablet`;
  const entry = { action: 'update', kind: 'Tablet', source: '1', destination: '1', reason: '' } as const;
  const write = (from: number, to: number, text: string) => {
    const bytes = Buffer.from(text);
    for (let n = from; n < to; n += 500) {
      const numbers = Array.from({ length: Math.min(500, to - n) }, (_, i) => n + i);
      const entries = numbers.map((i) => ({ ...entry, path: path(i), bytes }));
      journal.writing('zone1', entries);
      for (const i of numbers) ledger.own(path(i), `${text}-${i}`);
    }
  };
  const size = async () => (await stat(file)).size;
  for (let round = 0; round < 9; round++) write(0, 11_111, `${round}`);
  const long = await size();
  const { plan } = prepared;
  follower.passed(plan, 0);
  expect(await size()).toBe(long);
  write(11_111, 11_112, 'last');
  // While something may differ, what was sent has to stay known.
  follower.passed(plan, 1);
  expect(await size()).toBeGreaterThan(long);
  follower.passed(plan, 0);
  expect(await size()).toBeLessThan(long / 5);
  write(0, 1, 'sent');
  await Promise.all([source.close(), destination.close()]);

  const again = Journal.open(file, migration);
  expect(again.interrupted).toBe(true);
  const known = again.ledgers.get('zone1') as Ledger;
  for (const [n, version] of [
    [1, '8'],
    [11_110, '8'],
    [11_111, 'last'],
  ] as const) {
    expect(known.isForeign(path(n), `${version}-${n}`)).toBe(false);
    expect(known.isForeign(path(n), `7-${n}`)).toBe(true);
  }
  // What was sent since, and not answered, is known by what it holds.
  const isForeign = (text: string, token: string) => {
    known.recognise(path(0), {
      bytes: Buffer.from(text),
      version: Version.of('x', token),
      ephemeral: false,
    });
    return known.isForeign(path(0), token);
  };
  expect(isForeign('somebody', 'a')).toBe(true);
  expect(isForeign('sent', 'b')).toBe(false);
});
