import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection, WriteOp } from '../../src/topo/connection.js';
import { batchBytes } from '../../src/topo/connection.js';
import { failure, pattern, scanPaths } from '../conformance/tools.js';
import { available, CONSUL_VERSIONS, type ConsulCluster, startConsul } from '../servers/index.js';
import { FIXTURES, fixtures } from '../support/fixtures.js';
import { Curl, connect, LOCK_FLAGS } from './consul-support.js';

/** Characters that take the most room: in JSON, in a URL, in UTF-8. */
const COSTLY = ['\u0001', '%', '"', '€', 'p'];

for (const version of CONSUL_VERSIONS) {
  describe.runIf(available.consul(version))(`what Consul ${version} holds`, () => {
    let consul: ConsulCluster;
    let curl: Curl;
    let places = 0;
    const open: Connection[] = [];
    beforeAll(async () => {
      consul = await startConsul({ version });
      curl = new Curl(consul.apis[0] ?? '');
    });
    afterAll(async () => {
      for (const connection of open) await connection.close();
      await consul.stop();
    });
    const fresh = async () => {
      const root = `vitess/${++places}`;
      const connection = await connect(consul.servers, root);
      open.push(connection);
      /** A path whose key is as long as the store takes. */
      const longest = (seed: string, character = 'p') => {
        const left = connection.capabilities.maxPathBytes - Buffer.byteLength(`${root}/${seed}/`);
        return `${seed}/${character.repeat(Math.floor(left / Buffer.byteLength(character)))}`;
      };
      return { root, connection, longest };
    };

    for (const name of FIXTURES) {
      const records = fixtures(name);
      test.runIf(records !== undefined)(`${name} is written key for key and byte for byte`, async () => {
        const { root } = await fresh();
        const stores = new Map<string, Connection>();
        for (const { scope, path, value } of records ?? []) {
          const store = stores.get(scope) ?? (await connect(consul.servers, `${root}/${scope}`));
          stores.set(scope, store);
          await store.create(path, value);
        }
        const wanted = (records ?? []).map(({ scope, path, value }) => ({
          key: `${root}/${scope}/${path}`,
          value: Buffer.from(value).toString('base64'),
          flags: '0',
          session: '',
        }));
        const sorted = wanted.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
        expect(await curl.tree(`${root}/`)).toEqual(sorted);
        for (const store of stores.values()) await store.close();
      });
    }

    test('what curl puts is read byte for byte, and the other way round, by every kind of write', async () => {
      const { root, connection } = await fresh();
      await curl.put(`${root}/keyspaces/ks/Keyspace?flags=7`, 'written by curl');
      await curl.put(`${root}/empty`, '');
      const foreign = await connection.get('keyspaces/ks/Keyspace');
      expect(Buffer.from(foreign.bytes).toString()).toBe('written by curl');
      expect(foreign.ephemeral).toBe(false);
      expect((await connection.get('empty')).bytes).toHaveLength(0);
      const bytes = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256));
      const made = await connection.create('a', bytes);
      await connection.update('b', bytes, null);
      await connection.update('a', bytes.subarray(1), made);
      await connection.write([{ type: 'create', path: 'ö €😀"Flags":1', bytes }]);
      await connection.create('zero', Buffer.alloc(0));
      const found = (await curl.tree(`${root}/`)).map(({ key, value }) => [
        key.slice(root.length + 1),
        value,
      ]);
      expect(found).toEqual([
        ['a', bytes.subarray(1).toString('base64')],
        ['b', bytes.toString('base64')],
        ['empty', ''],
        ['keyspaces/ks/Keyspace', Buffer.from('written by curl').toString('base64')],
        ['zero', ''],
        ['ö €😀"Flags":1', bytes.toString('base64')],
      ]);
      expect(await scanPaths(connection)).toEqual(found.map(([path]) => path));
    });

    test('a version is the ModifyIndex, and the same bytes again keep it', async () => {
      const { root, connection } = await fresh();
      const made = await connection.create('a', Buffer.from('x'));
      expect(await curl.ask('GET', `kv/${root}/a`)).toContain(`"ModifyIndex":${made.token}}`);
      const again = await connection.update('a', Buffer.from('x'), made);
      expect(again.equals(made)).toBe(true);
      expect((await connection.update('a', Buffer.from('x'), null)).equals(made)).toBe(true);
      await connection.delete('a', made);
      expect((await connection.create('a', Buffer.from('x'))).equals(made)).toBe(false);
    });

    test('a position grows with every change of any key, deletions and other roots included', async () => {
      const { root, connection } = await fresh();
      let last = await connection.position();
      const changes = [
        () => connection.create('a', Buffer.from('x')),
        () => curl.put(`elsewhere/${root}`, 'x'),
        () => curl.put(`${root}0/a`, 'x'),
        () => curl.ask('DELETE', `kv/elsewhere/${root}`),
        () => connection.delete('a', null),
        () => curl.ask('DELETE', `kv/${root}0?recurse`),
      ];
      for (const [i, change] of changes.entries()) {
        await change();
        const next = await connection.position();
        expect(next, `change ${i}`).toBeGreaterThan(last);
        last = next;
      }
      expect(await connection.position()).toBe(last);
    });

    test('flags of 64 bits are compared to the last bit', async () => {
      const { root, connection } = await fresh();
      const flags = BigInt(LOCK_FLAGS);
      await curl.put(`${root}/lock?flags=${flags}`, 'x');
      for (const [name, other] of [
        ['above', flags + 1n],
        ['below', flags - 1n],
        ['top', 2n ** 64n - 1n],
      ])
        await curl.put(`${root}/${name}?flags=${other}`, 'x');
      const entries = await connection.listDirFull('');
      expect(entries.filter(({ ephemeral }) => ephemeral).map(({ name }) => name)).toEqual(['lock']);
    });

    test('a value as large as is allowed is written at the longest path, in each of the ways', async () => {
      const { connection, longest } = await fresh();
      const bytes = pattern(connection.capabilities.maxValueBytes);
      for (const character of COSTLY) {
        const made = await connection.create(longest('created', character), bytes);
        const changed = Buffer.from(bytes);
        changed[0] = 255 - (changed[0] ?? 0);
        const version = await connection.update(longest('created', character), changed, made);
        await connection.update(longest('put', character), bytes, null);
        const found = await connection.get(longest('put', character));
        expect(Buffer.compare(found.bytes, bytes)).toBe(0);
        await connection.delete(longest('created', character), version);
        await connection.delete(longest('put', character), null);
      }
      expect(await scanPaths(connection)).toEqual([]);
      const more = Buffer.alloc(bytes.byteLength + 1);
      expect(await failure(connection.create('more', more))).toMatchObject({ code: 'TooLarge' });
    });

    test('a batch as large as is allowed is written, with the longest paths and with one large value', async () => {
      for (const character of COSTLY) {
        const { connection, longest } = await fresh();
        const { maxOps, maxBytes } = connection.capabilities.batch;
        const path = (i: number) => longest(String(i).padStart(4, '0'), character);
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
        const deletions = ops.map(
          (op, i): WriteOp => ({ type: 'delete', path: op.path, version: versions[i] ?? null }),
        );
        await connection.write(deletions.slice(1));
        await connection.write(deletions.slice(0, 1));
        expect(await scanPaths(connection)).toEqual([]);
      }
    });

    test('larger values, which a plain PUT takes, are read and listed, and refused by name when written', async () => {
      const { root, connection } = await fresh();
      const text = 'v'.repeat(100_000);
      await curl.put(`${root}/large`, text);
      await connection.create('big', pattern(connection.capabilities.maxValueBytes));
      const reply = await fetch(`${consul.apis[0]}/v1/kv/${root}/largest`, {
        method: 'PUT',
        body: pattern(512 * 1024),
      });
      expect(await reply.text()).toBe('true');
      const found = await connection.get('largest');
      expect(Buffer.compare(found.bytes, pattern(512 * 1024))).toBe(0);
      expect(await scanPaths(connection)).toEqual(['big', 'large', 'largest']);
      const refused = connection.update('largest', found.bytes, found.version);
      expect(await failure(refused)).toMatchObject({ code: 'TooLarge', path: 'largest' });
    });

    test('folders of Consul’s web page are no records and no directories; what is in them is not left out in silence', async () => {
      const { root, connection } = await fresh();
      await curl.put(`${root}/`, '');
      await curl.put(`${root}/keyspaces/`, '');
      await curl.put(`${root}/cells/`, '');
      await connection.create('cells/zone1/CellInfo', Buffer.from('x'));
      expect(await connection.listDir('')).toEqual(['cells']);
      expect(await failure(connection.listDir('keyspaces'))).toMatchObject({ code: 'NoNode' });
      expect(await scanPaths(connection)).toEqual(['cells/zone1/CellInfo']);
      expect(await failure(connection.lock('keyspaces', 'x'))).toMatchObject({ code: 'NoNode' });
      await curl.put(`${root}/keyspaces/`, 'data');
      const error = await failure(scanPaths(connection));
      expect(error).toMatchObject({ code: 'Corrupt', message: expect.stringContaining('keyspaces/') });
      expect(error.message).not.toContain('data');
    });

    test('a key that is no path is named, and never left out in silence', async () => {
      for (const name of ['double//slash', '/leading', 'up/../x', 'dot/.']) {
        const { root, connection } = await fresh();
        await connection.create('a', Buffer.from('x'));
        const key = `${root}/${name}`;
        await curl.ask('PUT', 'txn', JSON.stringify([{ KV: { Verb: 'set', Key: key, Value: 'eA==' } }]));
        const error = await failure(scanPaths(connection));
        expect(error).toMatchObject({ code: 'Corrupt', message: expect.stringContaining(name) });
      }
    });

    test('a listing beside and between large directories names each entry once, and what lasts in them', async () => {
      const { root, connection } = await fresh();
      const paths = ['a', 'a-b', 'a.b', 'z', 'z/z'].concat(
        Array.from({ length: 1_000 }, (_, i) => `a/${i}/x`),
        Array.from({ length: 300 }, (_, i) => `flat-${i}/x`),
      );
      const { maxOps } = connection.capabilities.batch;
      for (let i = 0; i < paths.length; i += maxOps) {
        const part = paths.slice(i, i + maxOps);
        await connection.write(part.map((path) => ({ type: 'create', path, bytes: Buffer.alloc(0) })));
      }
      const names = [...new Set(paths.map((path) => path.split('/')[0]))].sort();
      expect(await connection.listDir('')).toEqual(names);
      const session = await curl.session();
      await curl.acquire(`${root}/b/first`, session, 'x');
      for (let i = 0; i < 10; i++) await curl.acquire(`${root}/c/${i}`, session, 'x');
      await curl.put(`${root}/c/last`, 'x');
      const entries = await connection.listDirFull('');
      const entry = (wanted: string) => entries.find(({ name }) => name === wanted);
      expect(entry('a')).toEqual({ name: 'a', type: 'directory', ephemeral: false });
      expect(entry('b')).toEqual({ name: 'b', type: 'directory', ephemeral: true });
      expect(entry('c')).toEqual({ name: 'c', type: 'directory', ephemeral: false });
      await curl.ask('PUT', `session/destroy/${session}`);
    });
  });

  describe.runIf(available.consul(version))(`a Consul ${version} whose limits are lower than usual`, () => {
    test('refuses by name, and nothing is done', async () => {
      const limits = 'limits { txn_max_req_len = 4000, kv_max_value_size = 4000 }';
      const consul = await startConsul({ version, flags: ['-hcl', `${limits} session_ttl_min = "30s"`] });
      const connection = await connect(consul.servers);
      expect(await failure(connection.create('a', Buffer.alloc(8_000)))).toMatchObject({
        code: 'TooLarge',
        path: 'a',
      });
      const ops = [0, 1, 2, 3].map(
        (i) => ({ type: 'create', path: `b/${i}`, bytes: Buffer.alloc(1_000) }) as const,
      );
      expect(await failure(connection.write(ops))).toMatchObject({ code: 'TooLarge' });
      expect(await failure(connection.lockName('a', 'x'))).toMatchObject({
        code: 'Unsupported',
        hint: expect.stringContaining('session_ttl_min'),
      });
      const patient = await connect(consul.servers, 'vitess/global', { lockTtlMs: 30_000 });
      await (await patient.lockName('a', 'x')).unlock();
      await patient.close();
      expect(await scanPaths(connection)).toEqual([]);
      await connection.close();
      await consul.stop();
    });
  });
}
