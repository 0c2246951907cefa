import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCommandLine } from '../../src/census/command-line.js';
import { aliasName, readVars } from '../../src/census/page.js';
import { judgeStore, type Stores } from '../../src/census/place.js';
import { readStatus } from '../../src/census/status-page.js';
import { FINDINGS } from '../../src/census/table.js';
import { parseAddress } from '../../src/topo/address.js';
import { oldStatus } from './stand-ins.js';

test('docs/check-cluster.md has every finding with its severity, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/check-cluster.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| (stop|unknown|warn) /gm)].map(([, id, severity]) => [
    id,
    severity,
  ]);
  const known = Object.entries(FINDINGS).map(([id, { severity }]) => [id, severity]);
  expect(rows.toSorted()).toEqual(known.toSorted());
});

test('flags are read as Go reads them', () => {
  const store = (...args: string[]) => readCommandLine(['/vt/bin/vttablet', ...args]).store;
  const triple = { implementation: 'etcd2', server: 'http://e1:2379,http://e2:2379', root: '/vitess/global' };
  const values = ['etcd2', triple.server, '/vitess/global'];
  const names = ['topo_implementation', 'topo_global_server_address', 'topo_global_root'];
  const flags = (dash: string, join_: (name: string, value: string) => string[]) =>
    names.flatMap((name, index) => join_(`${dash}${name}`, values[index] ?? ''));
  expect(store(...flags('-', (name, value) => [name, value]))).toEqual(triple);
  expect(store(...flags('--', (name, value) => [`${name}=${value}`]))).toEqual(triple);
  expect(store(...flags('--', (name, value) => [`${name.replaceAll('_', '-')}=${value}`]))).toEqual(triple);
  expect(store('--topo_implementation=consul', ...flags('-', (name, value) => [name, value]))).toEqual(
    triple,
  );
  expect(store('--', ...flags('-', (name, value) => [name, value]))).toBeUndefined();
  expect(store(...flags('-', (name, value) => [name, value]).slice(0, 4))).toBeUndefined();
  expect(
    store('--topo_implementation=', ...flags('-', (name, value) => [name, value]).slice(2)),
  ).toBeUndefined();
  expect(readCommandLine([])).toMatchObject({ program: undefined, store: undefined });
});

test('only the page of a Go program is one', () => {
  expect(readVars('{"cmdline": ["vttablet"')).toBe('its /debug/vars is not JSON');
  expect(readVars('[]')).toBe('its /debug/vars is no object');
  expect(readVars('{"status":"ok"}')).toMatch('it is no process of Vitess');
  expect(readVars('{"cmdline":[1]}')).toMatch('it is no process of Vitess');
});

test('what a page says otherwise than it should is not known', () => {
  const odd = {
    cmdline: ['vtgate'],
    TabletType: 3,
    TabletAlias: '',
    HealthcheckConnections: [1],
    BuildVersion: null,
  };
  expect(readVars(JSON.stringify(odd))).toMatchObject({
    ...{ type: undefined, alias: undefined, connections: undefined, version: undefined, store: undefined },
  });
});

test('a text that is too long to be Vitess’s is none', () => {
  const long = { cmdline: ['x'.repeat(300), `--cell=${'y'.repeat(5_000)}`], TabletType: 'z'.repeat(300) };
  expect(readVars(JSON.stringify(long))).toMatchObject({
    program: 'x'.repeat(64),
    cell: undefined,
    type: undefined,
  });
});

test('a vtcombo, which is many tablets, is none of them', () => {
  const combo = {
    cmdline: ['vtcombo'],
    TabletAlias: 'zone1-0000000100',
    TabletType: 'primary',
    BuildVersion: '21.0.5',
  };
  expect(readVars(JSON.stringify(combo))).toMatchObject({
    alias: undefined,
    type: undefined,
    version: '21.0.5',
  });
});

test('types and aliases are brought to the names of today', () => {
  const told = readVars(
    JSON.stringify({ cmdline: ['vttablet', '-tablet-path=zone-1-7'], TabletType: 'master' }),
  );
  expect(told).toMatchObject({ type: 'PRIMARY', alias: 'zone-1-0000000007', program: 'vttablet' });
  expect(aliasName('/zk/nyc/vt/tablets/0000000100')).toBeUndefined();
  expect(aliasName('zone1')).toBeUndefined();
});

test('/debug/status of old and new versions', () => {
  const facts = { alias: 'zone1-0000000100', keyspace: 'ks', shard: '0', type: 'PRIMARY' };
  expect(readStatus(oldStatus('zone1-100', 'MASTER'))).toEqual(facts);
  const today =
    '<td>\n Alias: zone1-0000000100<br>\n Keyspace: ks<br>\n Shard: 0<br>\n Tablet Type: PRIMARY<br>\n</td>';
  expect(readStatus(today)).toEqual(facts);
  expect(readStatus('<html>Welcome</html>')).toEqual({});
});

const stores: Stores = {
  expected: [parseAddress('etcd2://e1:2379,e2:2379/vitess/global')],
  spoken: [],
  old: [parseAddress('consul://c1:8500/vitess/global')],
};
const consul = parseAddress('consul://c1:8500/vitess/global');
const judged = (implementation: string, server: string, root: string, host = 'h1', places = stores) =>
  judgeStore({ implementation, server, root }, host, places);

test('a store is the same by implementation, one server, and root', () => {
  const store = (...args: Parameters<typeof judged>) => judged(...args).store;
  expect(store('etcd2', 'http://E2:2379', '/vitess/global/')).toBe('expected');
  expect(store('etcd2', 'e3:2379', '/vitess/global')).toBe('other');
  expect(store('etcd2', 'e1:2379', '/vitess/test')).toBe('other');
  expect(store('etcd2', 'e1:2379', '/vitess')).toBe('other');
  expect(store('zk2', 'e1:2379', '/vitess/global')).toBe('other');
  expect(store('etcd', 'e1:2379', '/vitess/global')).toBe('other');
  expect(store('consul', 'c1:8500', '/vitess/global')).toBe('old');
  expect(store('consul', 'c1:8500', 'vitess/global')).toBe('old');
});

test('what cannot be told is not known', () => {
  expect(judgeStore(undefined, 'h1', stores)).toMatchObject({
    store: 'unknown',
    why: expect.stringContaining('names no store'),
  });
  expect(judged('k8s', 'x', '/y')).toMatchObject({
    store: 'unknown',
    why: expect.stringContaining('no address'),
  });
  expect(judged('etcd2', 'e1:2379', '/vitess/global', 'h1', { ...stores, expected: [] })).toMatchObject({
    ...{ store: 'unknown', why: 'no expected store is given' },
  });
});

test('localhost is the store of the process’s own host, unless somebody says whose', () => {
  const places = { expected: [consul], spoken: [], old: [] };
  const local = (host: string, more: Partial<Stores> = {}, server = 'localhost:8500') =>
    judged('consul', server, 'vitess/global', host, { ...places, ...more }).store;
  expect(local('h1')).toBe('unknown');
  expect(local('h1', {}, '127.0.0.1:8500')).toBe('unknown');
  const agent = parseAddress('consul://localhost:8500/vitess/global');
  expect(local('h1', { expected: [agent] })).toBe('unknown');
  expect(local('127.0.0.1', { expected: [agent] })).toBe('expected');
  expect(local('h1', { expected: [consul, agent], spoken: [agent] })).toBe('expected');
  expect(judged('consul', 'localhost:8500', 'other/global', 'h1', places).store).toBe('other');
});
