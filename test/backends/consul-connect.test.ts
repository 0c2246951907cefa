import http from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/topo/connection.js';
import { failure, scanPaths } from '../conformance/tools.js';
import { available, type ConsulCluster, FaultWay, startConsul, startEtcd } from '../servers/index.js';
import { listening } from '../support/listening.js';
import { passing } from '../support/passing.js';
import { until } from '../support/until.js';
import { exitOf, type Networked, nobodyThere, oneIsEnough, SOON, secured } from './connecting.js';
import { Curl, connect } from './consul-support.js';

const ROOT = 'vitess/global';

const CONSUL: Networked = { root: ROOT, nameOf: (server) => `consul://${server}/${ROOT}`, connect };

describe('what is not there, or is not Consul', () => {
  nobodyThere(CONSUL);

  test('HTTP servers that answer something else', async () => {
    for (const [status, body] of [
      [200, 'hello'],
      [404, ''],
      [301, ''],
      [200, '[{"Key":5}]'],
    ] as const) {
      const server = http.createServer((_, answer) => {
        answer.writeHead(status, {
          'Content-Type': body.startsWith('[') ? 'application/json' : 'text/plain',
        });
        answer.end(body);
      });
      const error = await listening(server, (address) => failure(connect(address, ROOT, SOON)));
      expect(error).toMatchObject({ code: 'Unavailable', hint: expect.stringContaining('another product') });
    }
  });

  test('an answer that is cut off is not waited for', async () => {
    const server = http.createServer((_, answer) => {
      answer.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': '1000',
        'X-Consul-Index': '5',
      });
      answer.write('[{"Key":');
      setTimeout(() => answer.destroy(), 20);
    });
    const error = await listening(server, (address) =>
      failure(connect(address, ROOT, { connectTimeoutMs: 600_000 })),
    );
    expect(error).toMatchObject({ code: 'Unavailable' });
    expect(error.message).toContain('the connection broke');
  });

  test('a server that says that it left keys out is not believed', async () => {
    const server = http.createServer((_, answer) => {
      const filtered = { 'X-Consul-Index': '5', 'X-Consul-Results-Filtered-By-ACLs': 'true' };
      answer.writeHead(404, filtered).end();
    });
    const error = await listening(server, (address) => failure(connect(address, ROOT, SOON)));
    expect(error).toMatchObject({ code: 'Unauthorized' });
  });

  test.runIf(available.etcd('3.4'))('an etcd server', async () => {
    const etcd = await startEtcd({ version: '3.4' });
    const error = await failure(connect(etcd.servers, ROOT, SOON));
    await etcd.stop();
    expect(error).toMatchObject({ code: 'Unavailable', hint: expect.stringContaining('another product') });
  });

  test('a root that no URL takes', async () => {
    expect(await failure(connect('127.0.0.1:1', 'vitess/\u0001'))).toMatchObject({ code: 'InvalidAddress' });
  });
});

describe.runIf(available.consul('1.8'))('connecting to Consul', () => {
  test('any one server that answers is enough, and the others do not hold it up', async () => {
    await oneIsEnough(CONSUL, await startConsul({ version: '1.8' }));
  });

  test('more calls and watches at once than Consul takes connections of one client, from several connections', async () => {
    const consul = await startConsul({ version: '1.8' });
    // Of so many calls the last are answered late, on a busy machine.
    const patient = { requestTimeoutMs: 60_000, watchPollMs: 1_000 };
    const connections = await Promise.all(
      ['a', 'b', 'c', 'd'].map((cell) => connect(consul.servers, cell, patient)),
    );
    let told = 0;
    const watches = connections.flatMap((connection) =>
      Array.from({ length: 50 }, async (_, i) => {
        for await (const { value } of connection.watch(`watched/${i}`)) if (value !== undefined) told += 1;
      }),
    );
    const ended = Promise.allSettled(watches);
    await Promise.all(
      connections.flatMap((connection) =>
        Array.from({ length: 150 }, async (_, i) => {
          await connection.create(`r/${i}`, Buffer.from('x'));
          await connection.get(`r/${i}`);
        }),
      ),
    );
    for (const connection of connections) expect(await connection.listDir('r')).toHaveLength(150);
    // Watches beyond those for which there is room take turns.
    for (const connection of connections)
      for (const i of [0, 49]) await connection.create(`watched/${i}`, Buffer.from('x'));
    await until('all of them are told', () => told === 2 * connections.length);
    for (const connection of connections) await connection.close();
    await ended;
    await consul.stop();
  });

  test('a write that the server answers with an error of its own, and which was done, is OutcomeUnknown and sent once', async () => {
    const consul = await startConsul({ version: '1.8' });
    let told = 0;
    const server = passing(consul.apis[0] ?? '', ({ method }, { pathname }) => {
      if (method !== 'PUT' || pathname !== '/v1/txn') return undefined;
      told += 1;
      // What a follower says whose leader went away with the request.
      return { status: 500, body: 'rpc error making call: EOF' };
    });
    await listening(server, async (address) => {
      const connection = await connect(address, ROOT);
      const direct = await connect(consul.servers, ROOT);
      const error = await failure(connection.create('a', Buffer.from('1')));
      expect(told).toBe(1);
      expect(error).toMatchObject({ code: 'OutcomeUnknown', path: 'a' });
      expect(Buffer.from((await direct.get('a')).bytes).toString()).toBe('1');
      await connection.close();
      await direct.close();
    });
    await consul.stop();
  });

  test('every read asks for consistency: a leader that is cut off answers others with what was', async () => {
    const consul = await startConsul({ version: '1.8' });
    const reads: URL[] = [];
    const server = passing(consul.apis[0] ?? '', (_, url) => {
      if (/^\/v1\/(kv\/|txn)/.test(url.pathname)) reads.push(url);
      return undefined;
    });
    await listening(server, async (address) => {
      const connection = await connect(address, ROOT);
      const version = await connection.create('a/b', Buffer.from('1'));
      await connection.get('a/b');
      await failure(connection.get('a/ä?'));
      await connection.listDir('a');
      await connection.listDirFull('');
      await scanPaths(connection);
      await connection.position();
      await connection.identity();
      await connection.lockQueue('a');
      await connection.leader('vtctld');
      await connection.update('a/b', Buffer.from('2'), version);
      await failure(connection.update('a/b', Buffer.from('3'), version));
      for (const events of [connection.watch('a/b'), connection.watchRecursive('')]) {
        let seen = 0;
        for await (const _ of events) {
          seen += 1;
          if (seen === 3) break;
          await connection.update('a/b', Buffer.from(`${seen}`), null);
        }
      }
      await connection.close();
    });
    await consul.stop();
    expect(reads.some(({ pathname }) => pathname === '/v1/txn')).toBe(true);
    expect(reads.some(({ searchParams }) => searchParams.has('wait'))).toBe(true);
    expect(reads.filter(({ searchParams }) => !searchParams.has('consistent')).map(String)).toEqual([]);
  });

  test('close leaves nothing that keeps a process alive', async () => {
    const consul = await startConsul({ version: '1.8' });
    const script = new URL('./consul-process.ts', import.meta.url);
    expect(await exitOf(script, consul.servers, 5_000)).toBe(0);
    await consul.stop();
  });
});

describe.runIf(available.consul('1.8'))('tokens', () => {
  const management = '0c8a3cd2-97e0-4b6b-8a62-3b1f0a1e6f11';
  let consul: ConsulCluster;
  let curl: Curl;
  let made = 0;
  beforeAll(async () => {
    consul = await startConsul({ version: '1.8', acl: { managementToken: management } });
    curl = new Curl(consul.apis[0] ?? '', management);
    const admin = await connect(consul.servers, ROOT, { consulToken: management });
    for (const path of ['a', 'keyspaces/ks/Keyspace', 'cells/zone1/CellInfo'])
      await admin.create(path, Buffer.from('x'));
    await admin.close();
  });
  afterAll(() => consul.stop());

  const policy = async (rules: string, id?: string) => {
    const name = `policy-${++made}`;
    const body = JSON.stringify({ ID: id, Name: name, Rules: rules });
    const answer = await curl.ask('PUT', id === undefined ? 'acl/policy' : `acl/policy/${id}`, body);
    return { name, id: /"ID":"([^"]+)"/.exec(answer)?.[1] ?? '' };
  };
  const token = async (rules: string) => {
    const { name, id } = await policy(rules);
    const answer = await curl.ask('PUT', 'acl/token', JSON.stringify({ Policies: [{ Name: name }] }));
    return { secret: /"SecretID":"([^"]+)"/.exec(answer)?.[1] ?? '', policy: id };
  };
  const withToken = async (rules: string, use: (connection: Connection) => Promise<void>) => {
    const { secret } = await token(rules);
    const connection = await connect(consul.servers, ROOT, { consulToken: secret });
    try {
      await use(connection);
    } finally {
      await connection.close();
    }
  };

  test('a token that is unknown, missing, or for other keys is refused when connecting, and not shown', async () => {
    const elsewhere = (await token('key_prefix "vitess/global2/" { policy = "write" }')).secret;
    const below = (await token('key_prefix "vitess/global/keyspaces/" { policy = "write" }')).secret;
    const unknown = '5d0c7d1e-0b3c-44c7-8a53-55b5a1a5b111';
    for (const consulToken of [unknown, undefined, elsewhere, below]) {
      const error = await failure(connect(consul.servers, ROOT, { consulToken }));
      expect(error).toMatchObject({ code: 'Unauthorized', retryable: false });
      const shown = JSON.stringify([error.message, error.hint, String(error.cause), error.cause]);
      expect(shown).not.toContain(consulToken ?? 'X-Consul-Token');
    }
  });

  test('a token that may only read reads all, and writes and locks nothing', async () => {
    await withToken('key_prefix "vitess/global/" { policy = "read" }', async (connection) => {
      expect(await scanPaths(connection)).toEqual(['a', 'cells/zone1/CellInfo', 'keyspaces/ks/Keyspace']);
      expect(await failure(connection.get('none'))).toMatchObject({ code: 'NoNode' });
      expect(await failure(connection.get('n€ne'))).toMatchObject({ code: 'NoNode' });
      expect(await failure(connection.listDir('none'))).toMatchObject({ code: 'NoNode' });
      const { version } = await connection.get('a');
      for (const work of [
        () => connection.create('b', Buffer.from('x')),
        () => connection.update('a', Buffer.from('y'), version),
        () => connection.delete('a', version),
        () => connection.write([{ type: 'delete', path: 'a', version: null }]),
        () => connection.lock('keyspaces/ks', 'x', { deadline: Date.now() + 20_000 }),
        () => connection.tryLock('keyspaces/ks', 'x'),
      ])
        expect(await failure(work())).toMatchObject({ code: 'Unauthorized' });
      expect(await connection.lockQueue('keyspaces/ks')).toEqual([]);
    });
  });

  test('what a token may not read is an error, never an empty directory or an absent record', async () => {
    const rules = `key_prefix "vitess/global/" { policy = "write" }
      key_prefix "vitess/global/keyspaces/" { policy = "deny" }
      key_prefix "vitess/global/n€ne/" { policy = "deny" }`;
    await withToken(rules, async (connection) => {
      const next = (items: AsyncIterable<unknown>) => items[Symbol.asyncIterator]().next();
      const path = 'keyspaces/ks/Keyspace';
      for (const work of [
        () => connection.get(path),
        () => connection.get('keyspaces/none'),
        () => connection.get('n€ne/x'),
        () => connection.listDir('keyspaces'),
        () => connection.listDir('keyspaces/ks'),
        () => connection.listDirFull('keyspaces'),
        () => scanPaths(connection, 'keyspaces'),
        () => next(connection.watch(path)),
        () => next(connection.watchRecursive('keyspaces')),
        () => connection.update(path, Buffer.from('y'), null),
        () => connection.lockQueue('keyspaces/ks'),
        () => connection.lock('keyspaces/ks', 'x'),
      ])
        expect(await failure(work())).toMatchObject({ code: 'Unauthorized' });
      expect(await connection.listDir('cells')).toEqual(['zone1']);
    });
  });

  test('a right that is taken away ends a watch with Unauthorized, and deletes nothing', async () => {
    const { secret, policy: id } = await token('key_prefix "vitess/global/" { policy = "write" }');
    const connection = await connect(consul.servers, ROOT, { consulToken: secret, watchPollMs: 500 });
    const seen: string[] = [];
    const watching = failure(
      (async () => {
        for await (const event of connection.watchRecursive(''))
          seen.push(event.type === 'synced' ? 'synced' : `${event.path} ${event.value !== undefined}`);
      })(),
    );
    await until('the beginning', () => seen.includes('synced'));
    await policy(
      'key_prefix "vitess/global/" { policy = "read" } key_prefix "vitess/global/keyspaces/" { policy = "deny" }',
      id,
    );
    expect(await watching).toMatchObject({ code: 'Unauthorized' });
    expect(seen.filter((text) => text.endsWith('false'))).toEqual([]);
    await connection.close();
  }, 90_000);

  test('a token that the servers do not know for a moment, as a new leader may not, is waited for; one that is gone is refused', async () => {
    const rules = 'key_prefix "vitess/global/" { policy = "write" } session_prefix "" { policy = "write" }';
    const { name } = await policy(rules);
    const secret = 'a41d3c07-5a0e-4d07-9d0c-1f6f4c2b7e15';
    const make = async () => {
      const body = JSON.stringify({ SecretID: secret, Policies: [{ Name: name }] });
      return /"AccessorID":"([^"]+)"/.exec(await curl.ask('PUT', 'acl/token', body))?.[1] ?? '';
    };
    const forget = (accessor: string) => curl.ask('DELETE', `acl/token/${accessor}`);
    const first = await make();
    // Two ways to the server, of which one is there at first, and the other afterwards.
    const ways = [await FaultWay.to(consul.servers), await FaultWay.to(consul.servers)] as const;
    const cut = (way: FaultWay) => {
      for (const proxy of way.proxies) {
        proxy.refuse();
        proxy.reset();
      }
    };
    cut(ways[1]);
    const servers = ways.map((way) => way.servers).join(',');
    const connection = await connect(servers, ROOT, { consulToken: secret, watchPollMs: 500 });
    const seen: string[] = [];
    const watching = failure(
      (async () => {
        for await (const { value } of connection.watch('moment')) seen.push(String(value?.bytes ?? 'absent'));
      })(),
    );
    await until('the beginning', () => seen.at(-1) === 'absent');
    await forget(first);
    cut(ways[0]);
    await ways[1].mend();
    // One that never had an answer with it knows no better.
    expect(await failure(connect(consul.servers, ROOT, { consulToken: secret }))).toMatchObject({
      code: 'Unauthorized',
    });
    const calls = [connection.get('a'), connection.create('moment', Buffer.from('1'))];
    // Longer than a poll takes: the watch is refused, too.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const second = await make();
    await Promise.all(calls);
    await until('the change', () => seen.at(-1) === '1');
    await forget(second);
    const refused = failure(connection.get('a', { deadline: Date.now() + 60_000 }));
    expect(await refused).toMatchObject({ code: 'Unauthorized', retryable: false });
    expect(await watching).toMatchObject({ code: 'Unauthorized' });
    await connection.close();
    await Promise.all(ways.map((way) => way.close()));
  }, 90_000);

  test('a token with rights on the root and on sessions locks', async () => {
    const rules = 'key_prefix "vitess/global/" { policy = "write" } session_prefix "" { policy = "write" }';
    await withToken(rules, async (connection) => {
      const lock = await connection.lock('keyspaces/ks', 'x');
      await lock.check();
      await lock.unlock();
    });
  });
});

describe.runIf(available.consul('1.8') && available.certificates())('TLS', () => {
  secured(CONSUL, (tls) => startConsul({ version: '1.8', ...(tls === undefined ? {} : { tls }) }));
});
