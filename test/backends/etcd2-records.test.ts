import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection, WriteOp } from '../../src/topo/connection.js';
import { batchBytes } from '../../src/topo/connection.js';
import { available, ETCD_VERSIONS, type EtcdCluster, startEtcd } from '../servers/index.js';
import { FIXTURES, fixtures } from '../support/fixtures.js';
import { connect, errorOf, etcdHolds } from './etcd2-support.js';

const ROOT = '/vitess/global';

/** A path whose key is as long as the store takes. */
function longestPath(connection: Connection, seed: string): string {
  const length = connection.capabilities.maxPathBytes - ROOT.length - 1;
  return `${seed}/${'p'.repeat(length - seed.length - 1)}`;
}

for (const version of ETCD_VERSIONS) {
  describe.runIf(available.etcd(version))(`what etcd ${version} holds`, () => {
    let etcd: EtcdCluster;
    let raw: Etcd3;
    let connection: Connection;
    beforeAll(async () => {
      etcd = await startEtcd({ version });
      raw = new Etcd3({
        hosts: etcd.servers,
        grpcOptions: { 'grpc.max_receive_message_length': -1 },
      });
    });
    afterAll(async () => {
      raw.close();
      await etcd.stop();
    });
    const fresh = async () => {
      await connection?.close();
      await raw.delete().all();
      connection = await connect(etcd.servers, ROOT);
    };

    for (const name of FIXTURES) {
      const records = fixtures(name);
      test.runIf(records !== undefined)(`${name} is written key for key and byte for byte`, async () => {
        await fresh();
        const stores = new Map([['global', connection]]);
        for (const { scope, path, value } of records ?? []) {
          const store = stores.get(scope) ?? (await connect(etcd.servers, `/vitess/${scope}`));
          stores.set(scope, store);
          await store.create(path, value);
        }
        const keys = (records ?? []).map(
          ({ scope, path, value }) => [`/vitess/${scope}/${path}`, value] as const,
        );
        expect(await etcdHolds(etcd)).toEqual(new Map(keys));
        for (const store of stores.values()) await store.close();
      });
    }

    test('what etcdctl puts is read byte for byte, and the other way round, by every kind of write', async () => {
      await fresh();
      await etcd.ctl('put', `${ROOT}/keyspaces/ks/Keyspace`, 'written by etcdctl');
      await etcd.ctl('put', `${ROOT}/empty`, '');
      expect(Buffer.from((await connection.get('keyspaces/ks/Keyspace')).bytes).toString()).toBe(
        'written by etcdctl',
      );
      expect((await connection.get('empty')).bytes).toHaveLength(0);
      const bytes = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256));
      const made = await connection.create('a', bytes);
      await connection.update('b', bytes, null);
      await connection.update('a', bytes.subarray(1), made);
      await connection.write([{ type: 'create', path: 'ö €😀', bytes }]);
      expect(await etcdHolds(etcd)).toEqual(
        new Map([
          [`${ROOT}/a`, bytes.subarray(1)],
          [`${ROOT}/b`, bytes],
          [`${ROOT}/empty`, Buffer.alloc(0)],
          [`${ROOT}/keyspaces/ks/Keyspace`, Buffer.from('written by etcdctl')],
          [`${ROOT}/ö €😀`, bytes],
        ]),
      );
    });

    test('a version is the record’s mod revision, and a position the store’s revision', async () => {
      await fresh();
      const made = await connection.create('a', Buffer.from('x'));
      const { kvs, header } = await raw.kv.range({ key: Buffer.from(`${ROOT}/a`) });
      expect(made.token).toBe(kvs[0]?.mod_revision);
      expect(String(await connection.position())).toBe(header.revision);
    });

    test('a value as large as is allowed is written at the longest path, in each of the ways', async () => {
      await fresh();
      const bytes = Buffer.alloc(connection.capabilities.maxValueBytes, 7);
      const made = await connection.create(longestPath(connection, 'created'), bytes);
      await connection.update(longestPath(connection, 'created'), bytes, made);
      await connection.update(longestPath(connection, 'put'), bytes, null);
      expect((await connection.get(longestPath(connection, 'put'))).bytes.byteLength).toBe(bytes.byteLength);
    });

    test('a batch as large as is allowed is written, with the longest paths and with one large value', async () => {
      await fresh();
      const { maxOps, maxBytes } = connection.capabilities.batch;
      const path = (i: number) => longestPath(connection, String(i).padStart(4, '0'));
      const small: WriteOp[] = Array.from({ length: maxOps - 1 }, (_, i) => ({
        type: 'create',
        path: path(i),
        bytes: Buffer.from('x'),
      }));
      const last: WriteOp = { type: 'create', path: path(maxOps), bytes: Buffer.alloc(0) };
      const rest = maxBytes - batchBytes([...small, last]);
      const ops = [...small, { ...last, bytes: Buffer.alloc(rest, 1) }];
      expect(batchBytes(ops)).toBe(maxBytes);
      const versions = await connection.write(ops);
      const updates = ops.map((op, i): WriteOp => {
        const given = versions[i];
        if (given === undefined || !('bytes' in op)) throw new Error('a create gives a version');
        return { type: 'update', path: op.path, bytes: op.bytes, version: given };
      });
      await connection.write(updates);
    });

    test('replies of many megabytes are read, by a scan and by a listing', async () => {
      await fresh();
      const value = Buffer.alloc(1_000_000, 3);
      for (let i = 0; i < 12; i++) await connection.create(`large/${i}`, value);
      const sizes: number[] = [];
      for await (const page of connection.scan(''))
        sizes.push(...page.records.map(({ bytes }) => bytes.byteLength));
      expect(sizes).toEqual(Array.from({ length: 12 }, () => value.byteLength));
      expect(await connection.listDir('large')).toHaveLength(12);
    });

    test('a listing beside and between large directories names each entry once', async () => {
      await fresh();
      const paths = ['a', 'a-b', 'a.b', 'z', 'z/z'].concat(
        Array.from({ length: 3_000 }, (_, i) => `a/${i}/x`),
        Array.from({ length: 3_000 }, (_, i) => `flat-${i}/x`),
        Array.from({ length: 1_500 }, (_, i) => `m/${i}`),
      );
      for (let i = 0; i < paths.length; i += 100) {
        const part = paths.slice(i, i + 100);
        await connection.write(part.map((path) => ({ type: 'create', path, bytes: Buffer.alloc(0) })));
      }
      const names = [...new Set(paths.map((path) => path.split('/')[0]))].sort();
      expect(await connection.listDir('')).toEqual(names);
      const lease = raw.lease(600);
      await lease.put(`${ROOT}/b/first`).value('x');
      for (let i = 0; i < 400; i++) await lease.put(`${ROOT}/c/${i}`).value('x');
      await raw.put(`${ROOT}/c/last`).value('x');
      const entries = await connection.listDirFull('');
      const entry = (wanted: string) => entries.find(({ name }) => name === wanted);
      expect(entry('a')).toEqual({ name: 'a', type: 'directory', ephemeral: false });
      expect(entry('b')).toEqual({ name: 'b', type: 'directory', ephemeral: true });
      expect(entry('c')).toEqual({ name: 'c', type: 'directory', ephemeral: false });
      await lease.revoke();
    });

    test('a listing of several pages shows one moment: what is renamed meanwhile is in it once', async () => {
      await fresh();
      const names = Array.from({ length: 3_000 }, (_, i) => `m${String(i).padStart(4, '0')}`);
      for (let i = 0; i < names.length; i += 100)
        await connection.write(
          names
            .slice(i, i + 100)
            .map((name) => ({ type: 'create', path: `d/${name}`, bytes: Buffer.alloc(0) })),
        );
      const [first, last] = ['d/a', 'd/z'];
      await connection.create(first, Buffer.alloc(0));
      let running = true;
      const renaming = (async () => {
        for (let [from, to] = [first, last]; running; [from, to] = [to, from])
          await connection.write([
            { type: 'delete', path: from, version: null },
            { type: 'create', path: to, bytes: Buffer.alloc(0) },
          ]);
      })();
      try {
        for (let round = 0; round < 30; round++)
          for (const found of [
            await connection.listDir('d'),
            (await connection.listDirFull('d')).map(({ name }) => name),
          ])
            expect(found.filter((name) => name === 'a' || name === 'z')).toHaveLength(1);
      } finally {
        running = false;
        await renaming;
      }
    });

    test('a listing does not read what is inside large subdirectories', async () => {
      await fresh();
      for (const [dir, count] of [
        ['deep', 4_000],
        ['other', 4_000],
        ['a', 10],
        ['z', 10],
      ] as const)
        for (let i = 0; i < count; i += 100) {
          const part = Array.from({ length: Math.min(100, count) }, (_, j) => `${dir}/${i + j}/Record`);
          await connection.write(part.map((path) => ({ type: 'create', path, bytes: Buffer.alloc(0) })));
        }
      const sent = async () => {
        const metrics = await (await fetch(`${etcd.endpoints[0]}/metrics`)).text();
        return Number(/^etcd_network_client_grpc_sent_bytes_total (\S+)$/m.exec(metrics)?.[1]);
      };
      const before = await sent();
      expect(await connection.listDir('')).toEqual(['a', 'deep', 'other', 'z']);
      expect(await connection.listDirFull('')).toHaveLength(4);
      const listed = (await sent()) - before;
      expect(listed).toBeGreaterThan(0);
      // 8,020 keys of about 40 bytes, twice, if all were read.
      expect(listed).toBeLessThan(150_000);
    });

    test('a key that is no path is named, and never left out in silence', async () => {
      for (const key of ['double//slash', 'trailing/', 'up/../x']) {
        await fresh();
        await connection.create('a', Buffer.from('x'));
        await etcd.ctl('put', `${ROOT}/${key}`, 'x');
        const error = await errorOf(scanAll(connection));
        expect(error).toMatchObject({ code: 'Corrupt', message: expect.stringContaining(key) });
      }
      await fresh();
      await raw.put(Buffer.concat([Buffer.from(`${ROOT}/`), Buffer.of(0xff, 0xfe)])).value('x');
      expect(await errorOf(scanAll(connection))).toMatchObject({ code: 'Corrupt' });
      expect(await errorOf(connection.listDir(''))).toMatchObject({ code: 'Corrupt' });
    });

    test('a scan whose revision is compacted says so, and can be begun again', async () => {
      await fresh();
      // More than is read ahead.
      const ops = Array.from({ length: 1_000 }, (_, i) => `r/${String(i).padStart(5, '0')}`);
      for (let i = 0; i < ops.length; i += 25) {
        const part = ops.slice(i, i + 25);
        await connection.write(part.map((path) => ({ type: 'create', path, bytes: Buffer.alloc(40_000) })));
      }
      let pages = 0;
      const scanning = (async () => {
        for await (const _ of connection.scan('')) {
          pages += 1;
          if (pages > 1) continue;
          const made = await connection.update('r/00000', Buffer.from('newer'), null);
          await etcd.ctl('compact', made.token);
        }
      })();
      const error = await errorOf(scanning);
      expect(error).toMatchObject({ code: 'Unavailable', retryable: true });
      expect(error.message).toContain('compacted');
      expect(await scanAll(connection)).toBe(ops.length);
    });
  });
}

describe.runIf(available.etcd('3.5'))('an etcd whose limits are lower than usual', () => {
  test('refuses with TooLarge, and nothing is done', async () => {
    const etcd = await startEtcd({
      version: '3.5',
      flags: ['--max-request-bytes', '4000', '--max-txn-ops', '5'],
    });
    const connection = await connect(etcd.servers, ROOT);
    const ops = Array.from(
      { length: 6 },
      (_, i) => ({ type: 'create', path: `b/${i}`, bytes: Buffer.of(1) }) as const,
    );
    expect(await errorOf(connection.create('a', Buffer.alloc(8_000)))).toMatchObject({
      code: 'TooLarge',
      path: 'a',
    });
    expect(await errorOf(connection.create('a', Buffer.alloc(800_000)))).toMatchObject({ code: 'TooLarge' });
    expect(await errorOf(connection.write(ops))).toMatchObject({ code: 'TooLarge' });
    expect(await etcdHolds(etcd)).toEqual(new Map());
    await connection.close();
    await etcd.stop();
  });

  test('that is out of space says so, but not whether the write was carried out: etcd does not either', async () => {
    const etcd = await startEtcd({ version: '3.5', flags: ['--quota-backend-bytes', '200000'] });
    const connection = await connect(etcd.servers, ROOT);
    let error = new Error('nothing refused');
    // etcd notices how large it is when it next commits to disk: many writes may be through by then.
    for (let i = 0; i < 5_000 && error.message === 'nothing refused'; i++)
      error = await connection.create(`a/${i}`, Buffer.alloc(50_000)).then(
        () => error,
        (refusal: Error) => refusal,
      );
    expect(error).toMatchObject({ code: 'OutcomeUnknown', hint: expect.stringContaining('defragment') });
    expect(error.message).toContain('out of space');
    await connection.position();
    await connection.close();
    await etcd.stop();
  });
});

async function scanAll(connection: Connection): Promise<number> {
  let count = 0;
  for await (const { records } of connection.scan('')) count += records.length;
  return count;
}
