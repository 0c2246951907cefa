import { expect, test } from 'vitest';
import { checkLayout, destinationCells } from '../../src/copy/cells.js';
import { parseAddress } from '../../src/topo/address.js';
import { checkApart } from '../../src/topo/apart.js';
import type { Cell } from '../../src/topo/topology.js';

const global = parseAddress('etcd2://h1:2379,h2:2379/vitess/global');
const cell = (name: string, address: string, source: Cell['source'] = 'CellInfo'): Cell => ({
  name,
  address: parseAddress(address),
  source,
});
const zone1 = cell('zone1', 'zk2://old:2181/vitess/zone1');
const zone2 = cell('zone2', 'zk2://old:2181/vitess/zone2');
const none = new Map();

test('a cell goes where the caller says', () => {
  const given = new Map([['zone1', parseAddress('etcd2://c1:2379/z1')]]);
  const [found] = destinationCells([zone1], { global, cells: [] }, { given });
  expect(found).toEqual(cell('zone1', 'etcd2://c1:2379/z1', 'given'));
});

test('one rule places every cell that is not named on the destination’s servers', () => {
  const given = new Map([['zone1', parseAddress('etcd2://c1:2379/z1')]]);
  const found = destinationCells([zone1, zone2], { global, cells: [] }, { given, root: '/vitess/{cell}' });
  expect(found).toEqual([
    cell('zone1', 'etcd2://c1:2379/z1', 'given'),
    cell('zone2', 'etcd2://h1:2379,h2:2379/vitess/zone2', 'given'),
  ]);
});

test('a cell that the destination knows already stays where it is', () => {
  const existing = cell('zone1', 'etcd2://there:2379/z1');
  expect(destinationCells([zone1], { global, cells: [existing] }, { given: none })).toEqual([existing]);
});

test('cells without an address are all named', () => {
  const place = () => destinationCells([zone1, zone2], { global, cells: [] }, { given: none });
  expect(place).toThrow(
    expect.objectContaining({ code: 'NoCell', message: expect.stringContaining('zone1, zone2') }),
  );
});

test('an address for a cell that the source lacks is refused', () => {
  const given = new Map([['zone9', parseAddress('etcd2://c:2379/z9')]]);
  expect(() => destinationCells([zone1], { global, cells: [] }, { given })).toThrow(/zone9/);
});

test('parts of the destination that lie in one another are refused', () => {
  expect(() =>
    checkLayout('the destination', global, [cell('zone1', 'etcd2://h2:2379/vitess/global/zone1')]),
  ).toThrow(/overlap/);
  expect(() =>
    checkLayout('the destination', global, [cell('a', 'etcd2://h1:2379/x'), cell('b', 'etcd2://h1:2379/x')]),
  ).toThrow(/overlap/);
});

test('roots that only look nested are accepted', () => {
  const cells = [
    cell('zone1', 'etcd2://h1:2379/vitess/zone1'),
    cell('zone10', 'etcd2://h1:2379/vitess/zone10'),
  ];
  expect(() => checkLayout('the destination', global, cells)).not.toThrow();
});

test('the same place under two spellings is refused', () => {
  const source = { global: parseAddress('zk2://LOCALHOST:2181,other:2181/vitess/global'), cells: [] };
  const destination = { global: parseAddress('zk2://127.0.0.1/vitess'), cells: [] };
  expect(() => checkApart(source, destination)).toThrow(expect.objectContaining({ code: 'Guard' }));
});

test('old and new trees side by side on the same servers are accepted', () => {
  const source = {
    global: parseAddress('zk2://h:2181/old/global'),
    cells: [cell('zone1', 'zk2://h:2181/old/zone1')],
  };
  const destination = {
    global: parseAddress('zk2://h:2181/new/global'),
    cells: [cell('zone1', 'zk2://h:2181/new/zone1')],
  };
  expect(() => checkApart(source, destination)).not.toThrow();
});

test('a rule does not move a cell that is there already: that takes its name', () => {
  const existing = cell('zone1', 'etcd2://h1:2379/there/zone1');
  const place = (root: string) =>
    destinationCells([zone1], { global, cells: [existing] }, { given: none, root });
  expect(place('/there/{cell}')).toEqual([existing]);
  expect(() => place('/elsewhere/{cell}')).toThrow(
    expect.objectContaining({ code: 'Usage', hint: expect.stringContaining('--to-cell zone1=') }),
  );
});
