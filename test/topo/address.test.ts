import { describe, expect, it } from 'vitest';
import {
  addressFromTriple,
  formatAddress,
  overlaps,
  parseAddress,
  serversOf,
  storeName,
} from '../../src/topo/address.js';
import { ErrorCode, isTopologyError } from '../../src/topo/errors.js';

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isTopologyError(error, ErrorCode.InvalidAddress)) return `${error.message}; ${error.hint}`;
    throw error;
  }
  throw new Error('no error');
}

describe('the two spellings of an address', () => {
  it.each([
    ['zk2://h1:2181,h2:2182/vitess/global', 'zk2', 'h1:2181,h2:2182', '/vitess/global'],
    [
      'zk2://h1:2181,h2:2181|o1:2181,o2:2181/vitess/global',
      'zk2',
      'h1:2181,h2:2181|o1:2181,o2:2181',
      '/vitess/global',
    ],
    ['zk2://[::1]:2181,[2001:db8::2]:2181/vitess', 'zk2', '[::1]:2181,[2001:db8::2]:2181', '/vitess'],
    ['etcd2://h1:2379/vitess/global', 'etcd2', 'h1:2379', '/vitess/global'],
    [
      'etcd2://http://h1:2379,http://h2:2379/vitess/global',
      'etcd2',
      'http://h1:2379,http://h2:2379',
      '/vitess/global',
    ],
    ['etcd2://https://[::1]:2379/vitess/global', 'etcd2', 'https://[::1]:2379', '/vitess/global'],
    ['consul://h1:8500/vitess/global', 'consul', 'h1:8500', 'vitess/global'],
    ['file:./backup.topo', 'file', './backup.topo', '/global'],
    ['file:./backup.topo#/zone1', 'file', './backup.topo', '/zone1'],
    ['zookeeper://h1:2181/zk/global/vt', 'zookeeper', 'h1:2181', '/zk/global/vt'],
    ['etcd://h1:2379/vt', 'etcd', 'h1:2379', '/vt'],
    ['memory://zookeeper:demo/vitess/global', 'memory', 'zookeeper:demo', '/vitess/global'],
  ])('%s is %s, %s, %s', (url, implementation, server, root) => {
    const address = { implementation, server, root };
    expect(parseAddress(url)).toEqual(address);
    expect(addressFromTriple(implementation, server, root)).toEqual(address);
    expect(formatAddress(parseAddress(url))).toBe(url);
  });

  it('may leave out the default port', () => {
    expect(parseAddress('zk2://h1,h2:2182|o1/vitess').server).toBe('h1:2181,h2:2182|o1:2181');
    expect(parseAddress('etcd2://http://h1,h2/vitess').server).toBe('http://h1:2379,h2:2379');
    expect(parseAddress('etcd2://[::1]/vitess').server).toBe('[::1]:2379');
    expect(parseAddress('consul://h1/vitess').server).toBe('h1:8500');
  });

  it('may hold blanks between servers, and slashes too many in the root', () => {
    expect(addressFromTriple('zk2', ' h1:2181 , h2:2181 ', '/vitess//global/')).toEqual({
      implementation: 'zk2',
      server: 'h1:2181,h2:2181',
      root: '/vitess/global',
    });
    expect(addressFromTriple('etcd2', 'http://h1:2379/', '/vitess/').server).toBe('http://h1:2379');
    expect(addressFromTriple('consul', 'h1:8500', 'vitess/global/').root).toBe('vitess/global');
  });

  it('keep odd characters of a root', () => {
    expect(parseAddress('zk2://h1:2181/a b/%41/#/?/ключ').root).toBe('/a b/%41/#/?/ключ');
  });

  it('of memory stand for etcd without a name when nothing is said', () => {
    const address = { implementation: 'memory', server: 'etcd', root: '/' };
    expect(parseAddress('memory:')).toEqual(address);
    expect(parseAddress('memory://')).toEqual(address);
    expect(parseAddress(formatAddress(parseAddress('memory:')))).toEqual(address);
  });
});

describe('an address that is not understood', () => {
  it.each([
    ['h1:2181/vitess', 'unknown topology implementation "h1"; known are zk2, etcd2'],
    ['/etc/zk_client.json', 'it has no scheme'],
    ['', 'it has no scheme'],
    ['zk3://h1:2181/vitess', 'unknown topology implementation "zk3"'],
    ['zk2:h1:2181/vitess', 'not followed by //'],
    ['zk2:///vitess', 'it names no server'],
    ['zk2://,/vitess', 'it names no server'],
    ['zk2://h1:2181|/vitess', 'it names no server'],
    ['zk2://h1:2181', 'it has no root; add the root, for example /vitess/global'],
    ['zk2://h1:2181/', 'it has no root'],
    ['consul://h1:8500', 'add the root, for example vitess/global'],
    ['zk2://h1:2181/vitess/../x', 'not a plain path'],
    ['memory://etcd/a/./b', 'not a plain path'],
    ['zk2://h1:0/vitess', '"h1:0" is not host:port'],
    ['zk2://h1:99999/vitess', '"h1:99999" is not host:port'],
    ['zk2://h1:port/vitess', '"h1:port" is not host:port'],
    ['zk2://http://h1:2181/vitess', 'is not host:port'],
    ['zk2://[::1:2181/vitess', 'is not host:port'],
    ['zk2://[1:2]:2181/vitess', 'is not host:port'],
    ['zk2://::1:2181/vitess', 'is not host:port'],
    ['zk2://h1|h2|h3/vitess', 'only zk2 takes observers, after one |'],
    ['etcd2://h1|h2/vitess', 'only zk2 takes observers'],
    ['file:', 'it names no file'],
  ])('%j is refused: %s', (text, reason) => {
    expect(messageOf(() => parseAddress(text))).toContain(reason);
  });

  it('is refused when its root is of another store', () => {
    expect(messageOf(() => addressFromTriple('consul', 'h1:8500', '/vitess/global'))).toContain(
      'write vitess/global',
    );
    expect(messageOf(() => addressFromTriple('etcd2', 'h1:2379', 'vitess/global'))).toContain(
      'write /vitess/global',
    );
  });

  it.each([
    'zk2://user:s3cret@h1:2181/vitess',
    'zk2://h1:2181,user:s3cret@h2:2181/vitess',
    'zk2://digest:user:s3cret@h1:2181/vitess',
    'etcd2://http://user:s3cret@h1:2379/vitess',
    'etcd2://https://h1:2379,https://user:s3cret@h2:2379/vitess',
    'etcd2://http://user:s3cret/p@t@h1:2379/vitess',
    'user:s3cret@h1:2181',
    'zk2:user:s3cret@h1:2181/vitess',
    'consul://token:s3cret@h1:8500',
  ])('never echoes the password of %s', (text) => {
    expect(messageOf(() => parseAddress(text))).not.toContain('s3cret');
    expect(messageOf(() => addressFromTriple('etcd2', text, '/vitess'))).not.toContain('s3cret');
  });
});

describe('serversOf', () => {
  it('tells observers from servers', () => {
    expect(serversOf(parseAddress('zk2://h1,h2|o1/vitess'))).toEqual({
      servers: ['h1:2181', 'h2:2181'],
      observers: ['o1:2181'],
    });
  });
});

describe('storeName', () => {
  it('is one for all spellings of the same servers and root', () => {
    const names = [
      'etcd2://http://H2:2379,http://h1:2379/v',
      'etcd2://h1,h2,h1/v/',
      'etcd2://https://h1,h2/v',
    ];
    expect(new Set(names.map((name) => storeName(parseAddress(name))))).toEqual(
      new Set(['etcd2://h1:2379,h2:2379/v']),
    );
    expect(storeName(parseAddress('zk2://h2,h1|o1/v'))).toBe('zk2://h1:2181,h2:2181/v');
    expect(storeName(parseAddress('consul://h1/v'))).toBe('consul://h1:8500/v');
  });

  it('tells roots, files and memory stores apart', () => {
    const names = ['file:a', 'file:a#/zone1', 'file:b', 'memory:', 'memory://etcd:x/', 'memory://etcd:x/v'];
    expect(new Set(names.map((name) => storeName(parseAddress(name)))).size).toBe(names.length);
  });
});

it.each([
  ['zookeeper://h1', 'zookeeper://h1:2181/zk/global/vt'],
  ['etcd://h1/', 'etcd://h1:2379/vt'],
])('%s has the root that Vitess gave no choice of', (url, whole) => {
  expect(formatAddress(parseAddress(url))).toBe(whole);
});

describe('overlaps', () => {
  const ask = (a: string, b: string) => {
    const answer = overlaps(parseAddress(a), parseAddress(b));
    expect(overlaps(parseAddress(b), parseAddress(a))).toBe(answer);
    return answer;
  };

  it.each([
    ['zk2://h1,h2/vitess/global', 'zk2://h2:2181,h3/vitess/global'],
    ['zk2://h1/vitess', 'zk2://h1/vitess/global'],
    ['zk2://h1|o1/vitess', 'zk2://O1/vitess'],
    ['zk2://localhost/vitess', 'zk2://127.0.0.1/vitess'],
    ['zk2://[::1]/vitess', 'zk2://localhost/vitess'],
    ['zk2://[2001:db8:0::1]/vitess', 'zk2://[2001:DB8::1]/vitess'],
    ['etcd2://http://h1/vitess', 'etcd2://https://h1:2379/vitess'],
    ['zk2://h1/zk', 'zookeeper://h1:2181/'],
    ['file:./a.topo', 'file:a.topo'],
    ['memory://etcd:x/', 'memory://etcd:x/vitess'],
  ])('%s and %s', (a, b) => {
    expect(ask(a, b)).toBe(true);
  });

  it.each([
    ['zk2://h1/vitess/zone1', 'zk2://h1/vitess/zone10'],
    ['zk2://h1/old', 'zk2://h1/new'],
    ['zk2://h1:2181/vitess', 'zk2://h1:2182/vitess'],
    ['zk2://h1/vitess', 'zk2://h2/vitess'],
    ['zk2://h1:2379/vitess', 'etcd2://h1:2379/vitess'],
    ['file:a.topo', 'file:b.topo'],
    ['file:a.topo', 'file:a.topo#/zone1'],
    ['memory://etcd:x/vitess', 'memory://etcd:y/vitess'],
    ['memory://etcd:x/vitess', 'memory://zookeeper:x/vitess'],
  ])('%s and %s do not', (a, b) => {
    expect(ask(a, b)).toBe(false);
  });
});
