import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import {
  available,
  type ConsulCluster,
  type EtcdCluster,
  startConsul,
  startEtcd,
  startZooKeeper,
} from '../servers/index.js';
import { cli } from '../support/cli.js';
import { makeToken } from '../support/consul-tokens.js';
import { withStore } from '../support/topologies.js';
import { OPEN } from '../zookeeper/support.js';
import { doctor, found } from './doctor-tools.js';
import { plantSample } from './sample.js';

const LIMIT_MS = 150_000;
const EVERYWHERE = ['global', 'zone1', 'zone2'];

let from: string;
beforeEach(async () => {
  from = (await plantSample()).from;
});

/** What doctor says of a destination that `env` and `flags` log in to. */
function into(to: string, root: string, code: number, env: Record<string, string>, ...flags: string[]) {
  return doctor([from, to, '--to-cell-root', root, '--timeout', '10', ...flags], code, env);
}
const everywhere = (id: string) =>
  EVERYWHERE.map((scope) => expect.stringMatching(`^${id} destination ${scope}: `));

describe.runIf(available.etcd('3.5'))('rights in etcd', () => {
  let etcd: EtcdCluster;
  let to: string;
  const env = { TOPO2TOPO_TO_ETCD_PASSWORD: 'm4rk3d', TOPO2TOPO_FROM_ETCD_PASSWORD: 'm4rk3d' };
  const as = (user: string) => ['--to-topo-etcd-username', user, '--to-topo-etcd-lease-ttl', '120s'];
  beforeAll(async () => {
    etcd = await startEtcd({ version: '3.5' });
    to = `etcd2://${etcd.servers}/vitess/global`;
    await etcd.ctl('user', 'add', 'root:m4rk3d');
    await etcd.ctl('user', 'grant-role', 'root', 'root');
    for (const [user, right] of [
      ['reader', 'read'],
      ['writer', 'readwrite'],
      ['nobody', undefined],
      ['ends', 'read'],
    ] as const) {
      await etcd.ctl('user', 'add', `${user}:m4rk3d`);
      await etcd.ctl('role', 'add', user);
      if (right !== undefined)
        await etcd.ctl('role', 'grant-permission', user, '--prefix=true', right, '/vitess/');
      await etcd.ctl('user', 'grant-role', user, user);
    }
    for (const path of ['global/', 'zone1/', 'zone2/tablets/', 'zone2/topo2topo/'])
      await etcd.ctl('role', 'grant-permission', 'ends', '--prefix=true', 'readwrite', `/vitess/${path}`);
    await etcd.ctl('auth', 'enable');
  }, LIMIT_MS);
  afterAll(() => etcd?.stop());

  test('to read, write and lock: the migration may start, and nothing stays', {
    timeout: LIMIT_MS,
  }, async () => {
    const told = await into(to, '/vitess/{cell}', 0, env, ...as('writer'));
    expect(found(told, 'cannot-write', 'cannot-lock', 'refused', 'lease-ttl')).toEqual([]);
    expect(await etcd.ctl('--user', 'root:m4rk3d', 'get', '--prefix', '/', '--keys-only')).toBe('');
    expect((await etcd.ctl('--user', 'root:m4rk3d', 'lease', 'list')).trim()).toBe('found 0 leases');
  });

  test('to read alone', { timeout: LIMIT_MS }, async () => {
    const told = await into(to, '/vitess/{cell}', 4, env, ...as('reader'));
    expect(found(told, 'cannot-write')).toEqual(everywhere('cannot-write'));
    expect(JSON.stringify(told)).not.toContain('m4rk3d');
  });

  test('to write to a part alone: what the plan writes elsewhere is found, and nothing stays', {
    timeout: LIMIT_MS,
  }, async () => {
    const told = await into(to, '/vitess/{cell}', 4, env, ...as('ends'));
    expect(found(told, 'cannot-write')).toEqual([
      expect.stringMatching(/^cannot-write destination zone2: .*\[Unauthorized\], and others: keyspaces\//),
    ]);
    expect(await etcd.ctl('--user', 'root:m4rk3d', 'get', '--prefix', '/', '--keys-only')).toBe('');
  });

  test('to nothing, and a wrong password', { timeout: LIMIT_MS }, async () => {
    expect(found(await into(to, '/vitess/{cell}', 3, env, ...as('nobody')), 'refused')).toContainEqual(
      expect.stringMatching(/^refused destination global: /),
    );
    const wrong = { TOPO2TOPO_TO_ETCD_PASSWORD: 'wr0ng-m4rk3d' };
    const told = await into(to, '/vitess/{cell}', 3, wrong, ...as('writer'));
    expect(found(told, 'refused')).toHaveLength(1);
    expect(JSON.stringify(told)).not.toContain('m4rk3d');
  });

  test('of a source to be read alone: enough for a copy, told for a freeze', {
    timeout: LIMIT_MS,
  }, async () => {
    const source = ['--from', to, '--from-topo-etcd-username', 'reader'];
    expect(found(await doctor([...source, '--probe-source'], 0, env), 'source-not-lockable')).toEqual([
      expect.stringMatching(/^source-not-lockable source global: .*\[Unauthorized\]$/),
    ]);
    expect(found(await doctor(source, 0, env), 'source-not-probed')).toHaveLength(1);
  });
});

describe.runIf(available.zookeeper('3.8'))('rights in ZooKeeper', () => {
  let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
  const READ = 1;
  const ALL = 31;
  beforeAll(async () => {
    zookeeper = await startZooKeeper({ version: '3.8' });
    const owner = await connectOwnClient({
      servers: zookeeper.servers.split(','),
      auth: [{ scheme: 'digest', auth: 'vitess:m4rk3d' }],
    });
    const mine = { perms: ALL, scheme: 'auth', id: '' };
    const acls = {
      open: OPEN,
      shown: [mine, { perms: READ, scheme: 'world', id: 'anyone' }],
      hidden: [mine],
    };
    for (const [name, acl] of Object.entries(acls)) {
      await owner.create({ path: `/${name}`, data: null, acl });
      for (const scope of EVERYWHERE) await owner.create({ path: `/${name}/${scope}`, data: null, acl });
    }
    await owner.create({ path: '/open/zone2/tablets', data: null, acl: acls.shown });
    await owner.close();
  }, LIMIT_MS);
  afterAll(() => zookeeper?.stop());

  const zk = (name: string, code: number, env: Record<string, string> = {}) =>
    into(`zk2://${zookeeper.servers}/${name}/global`, `/${name}/{cell}`, code, env);
  const login = { TOPO2TOPO_TO_ZK_AUTH: 'digest:vitess:m4rk3d' };

  test('to everything, by ACL or by login, and nothing stays', { timeout: LIMIT_MS }, async () => {
    expect(found(await zk('open', 4), 'cannot-write')).toEqual([
      expect.stringMatching(/^cannot-write destination zone2: .*path tablets\/zone2-.*\[Unauthorized\]$/),
    ]);
    await zk('hidden', 0, login);
    await zk('absent', 0);
    const client = await connectOwnClient({
      servers: zookeeper.servers.split(','),
      auth: [{ scheme: 'digest', auth: 'vitess:m4rk3d' }],
    });
    for (const name of ['open', 'hidden'])
      for (const scope of EVERYWHERE)
        expect((await client.getChildren(`/${name}/${scope}`)).children).toEqual(
          `${name}/${scope}` === 'open/zone2' ? ['tablets'] : [],
        );
    expect((await client.getChildren('/')).children.sort()).toEqual(['hidden', 'open', 'shown', 'zookeeper']);
    await client.close();
  });

  test('to read alone', { timeout: LIMIT_MS }, async () => {
    expect(found(await zk('shown', 4), 'cannot-write')).toEqual(everywhere('cannot-write'));
  });

  test('to what is there already: changes and deletions that would be refused are found, and nothing is changed', {
    timeout: LIMIT_MS,
  }, async () => {
    const to = `zk2://${zookeeper.servers}/there/global`;
    expect(await cli(['copy', from, to, '--to-cell-root', '/there/{cell}'])).toMatchObject({ code: 0 });
    for (const address of [from, to])
      await withStore(address, (store) => store.create('keyspaces/extra/Keyspace', new Uint8Array()));
    await withStore(from, async (store) => {
      for (const path of ['keyspaces/commerce/Keyspace', 'metadata/owner'])
        await store.update(path, Buffer.from(''), null);
      await store.delete('keyspaces/extra/Keyspace', null);
    });
    const owner = await connectOwnClient({
      servers: zookeeper.servers.split(','),
      auth: [{ scheme: 'digest', auth: 'vitess:m4rk3d' }],
    });
    const mine = { perms: ALL, scheme: 'auth', id: '' };
    const [changed, emptied] = ['/commerce/Keyspace', '/extra'].map(
      (path) => `/there/global/keyspaces${path}`,
    );
    const states = () =>
      Promise.all(
        [`${changed}`, `${emptied}`, `${emptied}/Keyspace`].map(
          async (path) => (await owner.exists(path)).stat,
        ),
      );
    const more = ['--delete', '--max-delete', '9'];
    const asked = (code: number, env: Record<string, string> = {}) =>
      into(to, '/there/{cell}', code, env, ...more);
    try {
      expect(found(await asked(0), 'cannot-write')).toEqual([]);
      await owner.setAcl(`${changed}`, [mine, { perms: READ, scheme: 'world', id: 'anyone' }], -1);
      await owner.setAcl(`${emptied}`, [mine, { perms: ALL - 8, scheme: 'world', id: 'anyone' }], -1);
      const before = await states();
      expect(found(await asked(4), 'cannot-write')).toEqual([
        expect.stringMatching(
          /^cannot-write destination global: .*path .*\/keyspaces\/commerce\/Keyspace, .*\[Unauthorized\], and others: keyspaces\/extra\/Keyspace$/,
        ),
      ]);
      expect(found(await asked(0, login), 'cannot-write')).toEqual([]);
      expect(await states()).toEqual(before);
    } finally {
      await owner.close();
    }
  });

  test('that are missing: what a command says to give is a flag that it has', {
    timeout: LIMIT_MS,
  }, async () => {
    const [hidden, shown] = ['hidden', 'shown'].map((name) => `zk2://${zookeeper.servers}/${name}/global`);
    const flagIn = async (...args: string[]) => {
      const { code, err } = await cli(args);
      return `${code}: ${/--\S*topo-zk-auth-file/.exec(err)?.[0]}`;
    };
    expect(await flagIn('ls', `${hidden}`)).toBe('3: --topo-zk-auth-file');
    expect(await flagIn('ls', `${hidden}`, '--native')).toBe('3: --topo-zk-auth-file');
    expect(await flagIn('verify', `${hidden}`, from)).toBe('3: --from-topo-zk-auth-file');
    expect(await flagIn('copy', from, `${shown}`, '--to-cell-root', '/shown/{cell}')).toBe(
      '3: --to-topo-zk-auth-file',
    );
  });

  test('to nothing', { timeout: LIMIT_MS }, async () => {
    expect(found(await zk('hidden', 3), 'refused')).toContainEqual(
      expect.stringMatching(/^refused destination global: /),
    );
  });
});

describe.runIf(available.consul('1.8'))('rights in Consul', () => {
  const MANAGEMENT = '6f6b4f6e-0000-4000-8000-6d61726b3364';
  let consul: ConsulCluster;
  const tokens = new Map<string, string>();
  beforeAll(async () => {
    consul = await startConsul({ version: '1.8', acl: { managementToken: MANAGEMENT } });
    const key = (policy: string) => `key_prefix "vitess" { policy = "${policy}" }`;
    const session = 'session_prefix "" { policy = "write" }';
    const rules = {
      reader: key('read'),
      writer: key('write'),
      locker: `${key('write')} ${session}`,
      ends: `${key('write')} ${session} key_prefix "vitess/zone2/keyspaces/orders" { policy = "read" }`,
      nobody: session,
      looker: `${key('write')} ${session} agent_prefix "" { policy = "read" } operator = "read"`,
      unowned: `${key('write')} ${session} key "vitess/global/metadata/owner" { policy = "deny" }`,
      unmarked: `${key('write')} ${session} key_prefix "vitess/global/metadata" { policy = "deny" }`,
      partial: `${key('write')} ${session} key_prefix "vitess/global/keyspaces/orders" { policy = "deny" }`,
    };
    for (const [name, each] of Object.entries(rules))
      tokens.set(name, await makeToken(consul, MANAGEMENT, each));
  }, LIMIT_MS);
  afterAll(() => consul?.stop());

  const as = (name: string, code: number) =>
    into(`consul://${consul.servers}/vitess/global`, 'vitess/{cell}', code, {
      TOPO2TOPO_TO_CONSUL_TOKEN: tokens.get(name) ?? '',
    });

  test('to everything, though the token may not look at the servers: that is told', {
    timeout: LIMIT_MS,
  }, async () => {
    const told = await as('locker', 0);
    expect(found(told, 'cannot-write', 'cannot-lock')).toEqual([]);
    expect(found(told, 'not-told')).toEqual(
      expect.arrayContaining([expect.stringMatching(/agent:read/), expect.stringMatching(/operator:read/)]),
    );
    const reply = await fetch(`${consul.apis[0]}/v1/kv/?keys`, { headers: { 'X-Consul-Token': MANAGEMENT } });
    expect(reply.status === 404 ? [] : await reply.json()).toEqual([]);
  });

  test('to look at the servers, which a cell’s are asked for with its own token', {
    timeout: LIMIT_MS,
  }, async () => {
    const [, port] = consul.servers.split(':');
    const login = (name: string) => ({ acl_token: tokens.get(name) ?? '' });
    const logins = { global: login('locker'), zone1: login('looker'), zone2: login('locker') };
    const told = await into(
      `consul://${consul.servers}/vitess/global`,
      'vitess/{cell}',
      0,
      { TOPO2TOPO_TO_CONSUL_AUTH: JSON.stringify(logins) },
      '--to-cell',
      `zone1=localhost:${port},vitess/zone1`,
    );
    const unread = found(told, 'not-told').filter((line) => line.includes('agent:read'));
    expect(unread).toEqual([expect.stringMatching(/^not-told destination global, zone2: /)]);
  });

  test('to read alone, and to write without sessions', { timeout: LIMIT_MS }, async () => {
    expect(found(await as('reader', 4), 'cannot-write')).toEqual(everywhere('cannot-write'));
    expect(found(await as('writer', 4), 'cannot-lock')).toEqual(everywhere('cannot-lock'));
    expect(found(await as('ends', 4), 'cannot-write')).toEqual([
      expect.stringMatching(
        /^cannot-write destination zone2: .*path keyspaces\/orders\/.*, and others: keyspaces\/orders\//,
      ),
    ]);
  });

  test('to a part of the source: what a listing leaves out without a word stops, if it is a whole place, or cells tell of it', {
    timeout: LIMIT_MS,
  }, async () => {
    const held = `consul://${consul.servers}/vitess/global`;
    const login = (side: string, name: string) => ({
      [`TOPO2TOPO_${side}_CONSUL_TOKEN`]: tokens.get(name) ?? '',
    });
    const places = ['--to-cell-root', 'vitess/{cell}'];
    expect(await cli(['copy', from, held, ...places], login('TO', 'locker'))).toMatchObject({ code: 0 });
    const env = login('FROM', 'partial');
    const [, server] = from.split('/').slice(1);
    const to = `memory://etcd:${server}/elsewhere/global`;
    const there = ['--to-cell-root', '/elsewhere/{cell}'];
    const told = await doctor([held, to, ...there], 4, env);
    expect(found(told, 'hidden')).toEqual([
      expect.stringMatching(/keyspaces\/orders\/shards\/-40\/Shard; global:.*\/orders\/shards\/80-\/Shard$/),
    ]);
    expect(found(told, 'not-told')).toContainEqual(expect.stringMatching(/leaves what it may not read out/));
    expect(await cli(['copy', held, to, ...there], env)).toMatchObject({
      code: 4,
      err: expect.stringMatching(
        /may not read records .*orders\/shards\/80-.*\n.*read everything below the root/,
      ),
    });
    expect(await cli(['copy', held, to, ...there], login('FROM', 'locker'))).toMatchObject({ code: 0 });
    expect(await cli(['copy', held, to, ...there], login('FROM', 'unmarked'))).toMatchObject({
      code: 4,
      err: expect.stringMatching(/may not read records .*: global:metadata\/\* \[Guard\]/),
    });
    const deleting = ['--delete', '--max-delete', '99', '--allow-shrunk'];
    expect(await cli(['copy', held, to, ...deleting], login('FROM', 'unowned'))).toMatchObject({
      code: 4,
      err: expect.stringMatching(/may not read records .*: global:metadata\/owner \[Guard\]/),
    });
  });

  test('to nothing: hidden records do not look like none', { timeout: LIMIT_MS }, async () => {
    expect(found(await as('nobody', 3), 'refused')).toContainEqual(
      expect.stringMatching(/^refused destination global: /),
    );
  });
});
