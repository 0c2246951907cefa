import http from 'node:http';
import { describe, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import { decode } from '../../src/topo/codec.js';
import type { NativeNode } from '../../src/topo/native.js';
import { Topology } from '../../src/topo/topology.js';
import { failure } from '../conformance/tools.js';
import { available, startEtcd } from '../servers/index.js';
import { listening } from '../support/listening.js';
import { passing } from '../support/passing.js';
import { SETTINGS } from '../support/topologies.js';
import { type Networked, nobodyThere, oneIsEnough, SOON, secured } from './connecting.js';
import { connect, V2 } from './etcd-support.js';

const ETCD: Networked = { root: '/vt', nameOf: (server) => `etcd://${server}/vt`, connect };
const V2_ON = { version: '3.3', flags: ['--enable-v2'] } as const;

describe('what is not there, or is not etcd', () => {
  nobodyThere(ETCD);

  test('HTTP servers that answer something else', async () => {
    for (const [status, body] of [
      [200, 'hello'],
      [404, ''],
      [301, ''],
      [200, '[{"Key":5}]'],
    ] as const) {
      const server = http.createServer((_, answer) => {
        answer.writeHead(status).end(body);
      });
      const error = await listening(server, (address) => failure(connect(address, '/vt', SOON)));
      expect(error).toMatchObject({ code: 'Unavailable', hint: expect.stringContaining('another product') });
    }
  });

  test('an answer that is cut off is not waited for', async () => {
    const server = http.createServer((_, answer) => {
      answer.writeHead(200, { 'Content-Length': '1000', 'X-Etcd-Index': '5' });
      answer.write('{"action":');
      setTimeout(() => answer.destroy(), 20);
    });
    const error = await listening(server, (address) =>
      failure(connect(address, '/vt', { connectTimeoutMs: 600_000 })),
    );
    expect(error).toMatchObject({ code: 'Unavailable' });
    expect(error.message).toContain('the connection broke');
  });

  test.runIf(available.etcd('3.4'))('an etcd server without the old API', async () => {
    const etcd = await startEtcd({ version: '3.4' });
    const error = await failure(connect(etcd.servers, '/vt', SOON));
    await etcd.stop();
    expect(error).toMatchObject({ code: 'Unavailable', retryable: false });
    expect(error.hint).toContain('--enable-v2');
  });
});

describe.runIf(available.etcd('3.3'))('a retired etcd store', () => {
  test('any one server that answers is enough, and the others do not hold it up', async () => {
    await oneIsEnough(ETCD, await startEtcd(V2_ON));
  });

  secured(ETCD, (tls) => startEtcd({ ...V2_ON, ...(tls === undefined ? {} : { tls }) }));

  test('a write that the server answers with an error of its own, and which was done, is OutcomeUnknown and sent once', async () => {
    const etcd = await startEtcd(V2_ON);
    let told = 0;
    const server = passing(etcd.endpoints[0] ?? '', ({ method }) => {
      if (method !== 'PUT') return undefined;
      told += 1;
      // What a member says that has given up waiting for the others.
      const cause = 'etcdserver: request timed out';
      return {
        status: 500,
        body: JSON.stringify({ errorCode: 300, message: 'Raft Internal Error', cause, index: 1 }),
      };
    });
    await listening(server, async (address) => {
      const [connection, direct] = [await connect(address), await connect(etcd.servers)];
      const path = 'keyspaces/a/Keyspace';
      const before = await direct.create(path, Buffer.alloc(0));
      const { version } = await connection.get(path);
      const error = await failure(connection.update(path, Buffer.alloc(0), version));
      expect(told).toBe(1);
      expect(error).toMatchObject({ code: 'OutcomeUnknown', path });
      expect((await direct.get(path)).version.equals(before)).toBe(false);
      await connection.close();
      await direct.close();
    });
    await etcd.stop();
  });

  test('its cells are where the global store says, and both are shown as they are', async () => {
    const etcd = await startEtcd(V2_ON);
    const v2 = new V2(() => etcd.endpoints[0] ?? '');
    await v2.put('/vt/cells/nyc', etcd.endpoints.join(','));
    await v2.put('/vt/keyspaces/ks/_Data', '{}');
    await v2.put('/vt/tablets/nyc-0000000001/_Data', '{"alias": {"cell": "nyc", "uid": 1}, "hostname": "h"}');
    await v2.ask('PUT', '/elsewhere', {}, { value: 'x', ttl: '100' });
    const stores = storesFor(SETTINGS, 'read');
    const topology = await Topology.open({ global: parseAddress(`etcd://${etcd.servers}`), stores });
    const [cell] = await topology.cells();
    expect(cell).toMatchObject({ name: 'nyc', address: { implementation: 'etcd', root: '/vt' } });
    if (cell === undefined) throw new Error('no cell');
    const store = await topology.cell(cell);
    const tablet = await store.get('tablets/nyc-0000000001/Tablet');
    expect(decode('topodata.Tablet', tablet.bytes).json['hostname']).toBe('h');
    expect(await topology.global.listDir('keyspaces/ks')).toEqual(['Keyspace']);

    const native = await topology.openNative(cell);
    expect(native.root).toBe('/vt');
    expect((await native.list('/')).map(({ name }) => name)).toEqual(['elsewhere', 'vt']);
    expect((await native.list('/vt/keyspaces/ks')).map(({ path }) => path)).toEqual([
      '/vt/keyspaces/ks/_Data',
    ]);
    const nodes: NativeNode[] = [];
    for await (const group of native.walk('/vt')) nodes.push(...group);
    expect(nodes.map(({ path }) => path)).toEqual([
      '/vt/cells',
      '/vt/cells/nyc',
      '/vt/keyspaces',
      '/vt/keyspaces/ks',
      '/vt/keyspaces/ks/_Data',
      '/vt/tablets',
      '/vt/tablets/nyc-0000000001',
      '/vt/tablets/nyc-0000000001/_Data',
    ]);
    expect(await native.read('/vt/keyspaces')).toMatchObject({ bytes: null, words: { dir: 'true' } });
    const elsewhere = await native.read('/elsewhere');
    expect([String(elsewhere.bytes), Object.keys(elsewhere.words)]).toEqual([
      'x',
      ['createdIndex', 'modifiedIndex', 'ttl'],
    ]);
    expect(await failure(native.read('/vt/_Data'))).toMatchObject({ code: 'NoNode', path: '/vt/_Data' });
    await native.close();

    const health = await topology.health();
    expect(health).toMatchObject({
      servers: [
        { server: etcd.servers, up: true, version: expect.stringMatching(/^3\.3\./), role: 'leader' },
      ],
      voters: { total: 1, up: 1 },
      hasLeader: true,
    });
    await topology.close();
    await etcd.stop();
  });

  test('with users: the right password, a wrong one, none', async () => {
    const etcd = await startEtcd(V2_ON);
    const url = etcd.endpoints[0];
    const put = async (path: string, body: object) => {
      const answer = await fetch(`${url}/v2/auth/${path}`, { method: 'PUT', body: JSON.stringify(body) });
      expect(answer.ok, path).toBe(true);
    };
    await put('users/root', { user: 'root', password: 'secret-1' });
    await put('roles/topology', {
      role: 'topology',
      permissions: { kv: { read: ['/vt', '/vt/*'], write: ['/vt', '/vt/*'] } },
    });
    await put('users/vitess', { user: 'vitess', password: 'secret-2', roles: ['topology'] });
    await put('enable', {});
    const guest = `${url}/v2/auth/roles/guest`;
    const authorization = `Basic ${Buffer.from('root:secret-1').toString('base64')}`;
    await fetch(guest, { method: 'DELETE', headers: { authorization } });

    const connection = await connect(etcd.servers, '/vt', {
      etcdAuth: { username: 'vitess', password: 'secret-2' },
    });
    await connection.create('metadata/key', Buffer.from('x'));
    for await (const event of connection.watch('metadata/key')) {
      expect(String(event.value?.bytes)).toBe('x');
      break;
    }
    await connection.close();
    for (const etcdAuth of [{ username: 'vitess', password: 'secret-3' }, undefined]) {
      const error = await failure(connect(etcd.servers, '/vt', { etcdAuth }));
      expect(error).toMatchObject({
        code: 'Unauthorized',
        hint: expect.stringContaining('user and password'),
      });
      expect(JSON.stringify(error) + error.stack).not.toContain('secret');
    }
    await etcd.stop();
  });
});
