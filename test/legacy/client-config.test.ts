import { expect, test } from 'vitest';
import { addressOf, localCellOf, readClientConfig } from '../../src/legacy/client-config.js';

const FILE = '/etc/zookeeper/zk_client.json';
const read = (config: unknown, cell?: string) =>
  readClientConfig(FILE, Buffer.from(typeof config === 'string' ? config : JSON.stringify(config)), cell);

test('cells are all keys but those of the global store and of caching proxies', () => {
  const config = {
    global: '127.0.0.1:1',
    nyc: '127.0.0.1:2,127.0.0.1:3',
    'nyc-global': '127.0.0.1:4',
    'nyc:_zkocc': 'x',
    sfo: 'y',
  };
  const { global, cells } = read(config, 'nyc');
  expect(global).toBe('127.0.0.1:1');
  expect([...cells]).toEqual([
    ['nyc', '127.0.0.1:2,127.0.0.1:3'],
    ['sfo', 'y'],
  ]);
  expect(addressOf(FILE, { global, cells }, 'sfo')).toBe('y');
});

test('without an entry global that of the local cell serves', () => {
  expect(read({ 'nyc-global': 'a', 'sfo-global': 'b', sfo: 'c' }, 'sfo').global).toBe('b');
});

test.each([
  ['not json', undefined, 'it is not JSON'],
  ['[]', undefined, 'an object is wanted'],
  [{ global: 5 }, undefined, 'the entry global is no text of addresses'],
  [{ global: '' }, undefined, 'the entry global is no text of addresses'],
  [{ nyc: 'a' }, undefined, 'has no entry global'],
  [{ nyc: 'a', 'sfo-global': 'b' }, 'nyc', 'has no entry global nor nyc-global'],
])('%j with the local cell %s is refused', (config, cell, message) => {
  expect(() => read(config, cell)).toThrow(
    expect.objectContaining({
      code: 'Usage',
      message: expect.stringContaining(message),
      hint: expect.any(String),
    }),
  );
});

test('a cell that the file does not name is refused, with those that it does', () => {
  expect(() => addressOf(FILE, read({ global: 'a', nyc: 'b', sfo: 'c' }), 'lon')).toThrow(
    expect.objectContaining({ code: 'NoCell', hint: 'it has these: nyc, sfo' }),
  );
});

test.each([
  ['lon', 'nyc-web1', 'lon'],
  [undefined, 'nyc-web1', 'nyc'],
  ['', 'nyc-web1', 'nyc'],
  [undefined, 'nycweb1', 'ny'],
  [undefined, '', undefined],
])('with the setting %s on the host %j /zk/local is %s', (setting, host, cell) => {
  expect(localCellOf(setting, host)).toBe(cell);
});
