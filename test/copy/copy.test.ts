import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryStore } from '../../src/backends/memory/stores.js';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { storesFor } from '../../src/cli/stores.js';
import type { CellRule } from '../../src/copy/cells.js';
import { applyCopy, planCopy } from '../../src/copy/copy.js';
import type { Overrules } from '../../src/copy/guards.js';
import type { CopyOptions } from '../../src/copy/options.js';
import { parseAddress } from '../../src/topo/address.js';
import type { Stores } from '../../src/topo/backend.js';
import { systemClock } from '../../src/topo/clock.js';
import { decode, encode } from '../../src/topo/codec.js';
import type { CallOptions, Connection } from '../../src/topo/connection.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import type { Kind } from '../../src/topo/kinds.js';
import { formatTabletAlias } from '../../src/topo/names.js';
import { Topology } from '../../src/topo/topology.js';
import { type Call, DelegatingConnection } from '../../src/topo/wrappers/base.js';
import { verify } from '../../src/verify/verify.js';
import { cli } from '../support/cli.js';
import { contents, SETTINGS, withStore } from '../support/topologies.js';

/** Lets a test see, and spoil, every write before it is done. */
class Watched extends DelegatingConnection {
  readonly #before: (paths: string[]) => Promise<void> | void;

  constructor(inner: Connection, before: (paths: string[]) => Promise<void> | void) {
    super(inner);
    this.#before = before;
  }

  protected override async around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    if (call.kind === 'write') await this.#before(call.changes.map((change) => change.path));
    return next(options);
  }
}

describe('a copy', () => {
  let zookeeper: string;
  let etcd: string;
  let from: string;
  let to: string;

  beforeEach(async () => {
    const id = randomUUID();
    [zookeeper, etcd] = [`zookeeper:${id}`, `etcd:${id}`];
    [from, to] = [`memory://${zookeeper}/vitess/global`, `memory://${etcd}/vitess/global`];
    const records = sampleTopology(zookeeper);
    for (const scope of ['global', 'zone1', 'zone2']) {
      await withStore(`memory://${zookeeper}/vitess/${scope}`, async (store) => {
        for (const record of records.filter((each) => each.scope === scope))
          await store.create(record.path, record.bytes);
      });
    }
  });

  const local = (scope: string) => `memory://${etcd}/vitess/${scope}`;

  /** Plans, then applies, with a look at each write of the destination. */
  async function copy(
    options: {
      kinds?: ReadonlySet<Kind>;
      between?: () => Promise<void>;
      before?: (paths: string[]) => Promise<void> | void;
      signal?: AbortSignal;
      rule?: CellRule;
      overrules?: Overrules;
      more?: Partial<CopyOptions>;
    } = {},
  ): Promise<number> {
    const writing = storesFor(SETTINGS, 'write');
    const stores: Stores = {
      ...writing,
      openNative: writing.openNative,
      open: async (address, scope) =>
        new Watched(await writing.open(address, scope), options.before ?? (() => {})),
    };
    const source = await Topology.open({ global: parseAddress(from), stores: storesFor(SETTINGS, 'read') });
    const destination = await Topology.open({ global: parseAddress(to), stores });
    const given: CopyOptions = {
      source,
      destination,
      rule: options.rule ?? { given: new Map(), root: '/vitess/{cell}' },
      signal: options.signal,
      clock: systemClock,
      concurrency: 4,
      kinds: options.kinds,
      overrules: options.overrules,
      ...options.more,
    };
    try {
      const plan = await planCopy(given);
      await options.between?.();
      return (await applyCopy(plan, given)).written;
    } finally {
      await Promise.all([source.close(), destination.close()]);
    }
  }

  async function equal(): Promise<boolean> {
    const stores = storesFor(SETTINGS, 'read');
    const source = await Topology.open({ global: parseAddress(from), stores });
    const destination = await Topology.open({ global: parseAddress(to), stores });
    try {
      return (await verify({ source, destination, concurrency: 4 })).equal;
    } finally {
      await Promise.all([source.close(), destination.close()]);
    }
  }

  test('brings everything over, and a second one writes nothing', async () => {
    expect(await copy()).toBe(sampleTopology(zookeeper).length);
    expect(await equal()).toBe(true);
    expect(await copy()).toBe(0);
  });

  test('writes cells first, global records next, and CellInfo last', async () => {
    const order: string[] = [];
    await copy({ before: (paths) => void order.push(...paths) });
    const phases = order.map((path) =>
      /^cells\//.test(path)
        ? 3
        : /^(tablets\/|SrvVSchema)|(SrvKeyspace|ShardReplication)$/.test(path)
          ? 1
          : 2,
    );
    expect(phases).toEqual([...phases].sort());
    expect(new Set(phases)).toEqual(new Set([1, 2, 3]));
  });

  test('leaves locks and elections behind; a lock that is held stops it unless that is allowed', async () => {
    memoryStore(zookeeper).putEphemeral('/vitess/global/elections/vtctld/0000000001', Buffer.from('me'));
    memoryStore(zookeeper).putEphemeral(
      '/vitess/global/keyspaces/orders/locks/0000000002',
      Buffer.from('{}'),
    );
    await expect(copy()).rejects.toThrow(/locks are held in the source: global:keyspaces\/orders\/locks/);
    expect((await contents(to)).size).toBe(0);
    await copy({ overrules: { locks: true } });
    const paths = [...(await contents(to)).keys()];
    expect(paths.filter((path) => /locks|elections/.test(path))).toEqual([]);
    expect(await equal()).toBe(true);
  });

  test('stops at a record that somebody created meanwhile, names it, and keeps what they wrote', async () => {
    const theirs = Buffer.from('theirs');
    const failed = copy({
      between: () => withStore(to, async (store) => void (await store.create('metadata/owner', theirs))),
    });
    await expect(failed).rejects.toThrow(expect.objectContaining({ code: 'Guard', path: 'metadata/owner' }));
    expect((await contents(to)).get('metadata/owner')).toEqual(theirs);
  });

  test('stops at a record that somebody changed meanwhile, names it, and keeps what they wrote', async () => {
    await copy();
    await withStore(from, (store) => store.update('metadata/owner', Buffer.from('new'), null));
    const theirs = Buffer.from('theirs');
    const failed = copy({
      between: () =>
        withStore(to, async (store) => void (await store.update('metadata/owner', theirs, null))),
    });
    await expect(failed).rejects.toThrow(expect.objectContaining({ code: 'Guard', path: 'metadata/owner' }));
    expect((await contents(to)).get('metadata/owner')).toEqual(theirs);
  });

  test('stops at a record that somebody deleted meanwhile, names it, and does not bring it back', async () => {
    await copy();
    await withStore(from, (store) => store.update('metadata/owner', Buffer.from('new'), null));
    const failed = copy({ between: () => withStore(to, (store) => store.delete('metadata/owner', null)) });
    await expect(failed).rejects.toThrow(expect.objectContaining({ code: 'Guard', path: 'metadata/owner' }));
    expect((await contents(to)).has('metadata/owner')).toBe(false);
  });

  test('that fails at any write leaves no CellInfo behind unless it was done, and running again completes it', async () => {
    let writes = 0;
    await copy({
      before: () => {
        writes += 1;
      },
    });
    for (let failing = 1; failing <= writes; failing++) {
      etcd = `etcd:${randomUUID()}`;
      to = `memory://${etcd}/vitess/global`;
      let count = 0;
      const failed = copy({
        before: () => {
          count += 1;
          if (count === failing) throw new TopologyError(ErrorCode.Unauthorized, 'spoilt');
        },
      });
      await expect(failed).rejects.toThrow('spoilt');
      expect([...(await contents(to)).keys()].filter((path) => path.startsWith('cells/'))).toEqual([]);
      await copy();
      expect(await equal()).toBe(true);
    }
  });

  test('that is aborted finishes what is under way, stops, and says so', async () => {
    const abort = new AbortController();
    const failed = copy({ before: () => abort.abort(), signal: abort.signal });
    await expect(failed).rejects.toThrow(expect.objectContaining({ code: 'Interrupted' }));
    const written = (await contents(local('zone1'))).size + (await contents(local('zone2'))).size;
    expect(written).toBeGreaterThan(0);
    expect([...(await contents(to)).keys()]).toEqual([]);
    await copy();
    expect(await equal()).toBe(true);
  });

  test('whose source changes meanwhile goes on until both are equal', async () => {
    const change = async () => {
      await withStore(from, async (store) => {
        await store.update('metadata/owner', Buffer.from('newer'), null);
        await store.create('metadata/new', Buffer.from('new'));
      });
      await withStore(`memory://${zookeeper}/vitess/zone1`, async (store) => {
        for (const name of await store.listDir('tablets')) {
          const path = `tablets/${name}/Tablet`;
          const { bytes } = await store.get(path);
          if (decode('topodata.Tablet', bytes).json['type'] !== 'PRIMARY') return store.delete(path, null);
        }
      });
    };
    await copy({ between: change });
    expect(await equal()).toBe(true);
    expect((await contents(to)).get('metadata/new')).toEqual(Buffer.from('new'));
  });

  test('deletes what only the destination has when that is asked for, within a limit, and never a primary', async () => {
    await copy();
    await withStore(from, (store) => store.delete('metadata/owner', null));
    const more = { deletes: true };
    await expect(copy({ more })).rejects.toThrow(/1 record would be deleted.*global: 1 Metadata/);
    await copy({ more, overrules: { maxDelete: 1 } });
    expect(await equal()).toBe(true);
    const primary = [...(await contents(from))].flatMap(([path, bytes]) =>
      path.endsWith('/Shard') ? [decode('topodata.Shard', bytes).json['primary_alias']] : [],
    )[0] as { cell: string; uid: number };
    await withStore(`memory://${zookeeper}/vitess/${primary.cell}`, (store) =>
      store.delete(`tablets/${formatTabletAlias(primary)}/Tablet`, null),
    );
    await expect(copy({ more, overrules: { maxDelete: 9 } })).rejects.toThrow(
      /primary of a shard would be deleted/,
    );
  });

  test('deletes no record that somebody else emptied meanwhile', async () => {
    await withStore(from, (store) => store.create('metadata/old', Buffer.from('x')));
    await copy();
    await withStore(from, (store) => store.delete('metadata/old', null));
    const between = () =>
      withStore(to, async (store) => void (await store.update('metadata/old', new Uint8Array(), null)));
    await expect(
      copy({ between, more: { deletes: true }, overrules: { maxDelete: 1 } }),
    ).rejects.toMatchObject({
      code: ErrorCode.Guard,
      path: 'metadata/old',
    });
    expect((await contents(to)).get('metadata/old')).toEqual(Buffer.alloc(0));
  });

  test('does not take for its own what somebody else made there while the source lost it', async () => {
    const between = async () => {
      await withStore(to, (store) => store.create('metadata/owner', Buffer.from('theirs')));
      await withStore(from, (store) => store.delete('metadata/owner', null));
    };
    await expect(copy({ between })).rejects.toThrow(/somebody else.*metadata\/owner/);
    expect((await contents(to)).get('metadata/owner')?.toString()).toBe('theirs');
  });

  test('refuses a destination whose CellInfo leads into the source', async () => {
    const address = { server_address: zookeeper, root: '/vitess/zone1' };
    await withStore(to, (store) =>
      store.create('cells/zone1/CellInfo', encode('topodata.CellInfo', address)),
    );
    await expect(copy()).rejects.toMatchObject({ code: 'Guard', path: 'cells/zone1/CellInfo' });
  });

  test('is made part by part: cells first, and the commit only when they are there', async () => {
    const part = (...names: string[]) => copy({ more: { scopes: new Set(names) } });
    await expect(part('global')).rejects.toThrow(/^cell zone1, cell zone2 are not copied yet: /);
    await part('zone1');
    await part('zone2');
    expect((await contents(to)).size).toBe(0);
    await part('global');
    expect(await equal()).toBe(true);
    await expect(part('zone9')).rejects.toThrow(/no cell zone9/);
  });

  test('of CellInfo alone commits nothing while records of the cells, or global ones, are missing', async () => {
    const kinds = new Set(['CellInfo'] as const);
    const alone = (...scopes: string[]) =>
      copy({ kinds, more: scopes.length === 0 ? {} : { scopes: new Set(scopes) } });
    await expect(alone('global')).rejects.toThrow(
      /the global part, cell zone1, cell zone2 are not copied yet: global lacks \d+/,
    );
    await expect(alone()).rejects.toMatchObject({ code: 'Guard', message: /zone1 lacks \d+ .*zone2 lacks/ });
    await copy();
    await withStore(to, async (store) => {
      await store.delete('cells/zone1/CellInfo', null);
      await store.delete('cells/zone2/CellInfo', null);
    });
    await withStore(local('zone2'), (store) => store.delete('tablets/zone2-0000000101/Tablet', null));
    for (const scopes of [[], ['global']])
      await expect(alone(...scopes)).rejects.toThrow(/cell zone2 is not copied yet: zone2 lacks 1 of its/);
    // With what is missing, it is the whole commit.
    await copy({ kinds: new Set(['CellInfo', 'Tablet'] as const) });
    expect(await equal()).toBe(true);
    await withStore(to, (store) => store.delete('cells/zone1/CellInfo', null));
    expect(await alone('global')).toBe(1);
    expect(await equal()).toBe(true);
  });

  test('at a rate sends no more in one transaction than may go in a second', async () => {
    const sizes: number[] = [];
    const beforeWrite: CopyOptions['beforeWrite'] = async (_scope, entries) => {
      sizes.push(entries.length);
    };
    const more = { kinds: new Set<Kind>(['Tablet']), scopes: new Set(['zone1']), rate: 10, beforeWrite };
    await copy({ more });
    expect(sizes).toEqual([10, 4]);
  });

  test('of a keyspace copies what belongs to it, tablets too', async () => {
    await copy({ more: { keyspaces: new Set(['commerce']) } });
    expect([...(await contents(to)).keys()].every((path) => path.startsWith('keyspaces/commerce/'))).toBe(
      true,
    );
    for (const [path, bytes] of await contents(local('zone1')))
      if (path.endsWith('/Tablet'))
        expect(decode('topodata.Tablet', bytes).json['keyspace']).toBe('commerce');
  });

  test('of global kinds alone needs no cell of the destination', async () => {
    expect(await copy({ kinds: new Set(['Keyspace', 'VSchema'] as const), rule: { given: new Map() } })).toBe(
      6,
    );
  });

  test('of some kinds writes these alone', async () => {
    await copy({ kinds: new Set(['Shard', 'Tablet'] as const) });
    expect([...(await contents(to)).keys()].every((path) => path.endsWith('/Shard'))).toBe(true);
    expect([...(await contents(local('zone1'))).keys()].every((path) => path.endsWith('/Tablet'))).toBe(true);
  });
});

test('a file under two names is one place, for a copy and for a comparison', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  try {
    await withStore(`file:${folder}/a.topo`, (store) =>
      store.create('cells/zone1/CellInfo', new Uint8Array()),
    );
    await withStore(`file:${folder}/a.topo#/zone1`, (store) => store.create('SrvVSchema', new Uint8Array()));
    await symlink(join(folder, 'a.topo'), join(folder, 'b.topo'));
    for (const command of ['copy', 'verify']) {
      const { code, err } = await cli([command, `file:${folder}/a.topo`, `file:${folder}/b.topo`]);
      expect(err).toContain('the same place');
      expect(code).toBe(4);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
