import { expect, test } from 'vitest';
import { connectSettings } from '../../src/cli/login.js';
import { servingBy, toleranceBy } from '../../src/cli/transcoding-flags.js';
import { NEWEST } from '../../src/graph/target.js';
import { parseAddress, type StoreAddress } from '../../src/topo/address.js';
import { must } from '../conformance/tools.js';

test('kinds of losses are given one by one, or in lists; one that there is not is refused with those that there are', () => {
  const { acceptedLosses } = toleranceBy({ 'accept-loss': ['state,parent', 'health'] });
  expect([...(acceptedLosses ?? [])]).toEqual(['state', 'parent', 'health']);
  expect(toleranceBy({}).acceptedLosses?.size).toBe(0);
  expect(() => toleranceBy({ 'accept-loss': ['State'] })).toThrow(
    expect.objectContaining({ code: 'Usage', hint: expect.stringContaining('state, parent, health') }),
  );
});

test('records in no known form are left behind by path, by pattern, or all of them', () => {
  expect(toleranceBy({}).skipsUnreadable).toBeUndefined();
  const skips = toleranceBy({ 'skip-unreadable': ['tablets/*/Tablet', 'keyspaces/**'] }).skipsUnreadable;
  expect(skips?.('tablets/nyc-0000000100/Tablet')).toBe(true);
  expect(skips?.('keyspaces/main/shards/0/Shard')).toBe(true);
  expect(skips?.('SrvVSchema')).toBe(false);
  expect(toleranceBy({ 'skip-unreadable': ['all'] }).skipsUnreadable?.('SrvVSchema')).toBe(true);
});

test('whether a shard serves is said with yes or no, and of a version of Vitess', () => {
  const said = servingBy({ serving: ['main/0=yes', 'user/-80=no'] });
  expect(said).toEqual({
    target: NEWEST,
    serving: new Map([
      ['main/0', true],
      ['user/-80', false],
    ]),
  });
  expect(servingBy({ 'target-version': '11' }).target?.major).toBe(11);
  for (const serving of ['main=yes', 'main/0', 'main/0=perhaps'])
    expect(() => servingBy({ serving: [serving] })).toThrow(expect.objectContaining({ code: 'Usage' }));
});

test('the numbers of types are those of a store of a retired format, on its own side', () => {
  const [old, today] = ['etcd://h1/vt', 'etcd2://h1/vitess/global'].map((text) => parseAddress(text));
  const settings = (address: StoreAddress | undefined) =>
    connectSettings({ 'from-type-numbers': 'first' }, 'from', {}, must(address)).typeNumbers;
  expect(settings(old)).toBe('first');
  expect(() => settings(today)).toThrow(expect.objectContaining({ code: 'Usage' }));
});
