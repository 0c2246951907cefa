import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import { decode, encode } from '../../src/topo/codec.js';
import type { Connection } from '../../src/topo/connection.js';
import { eventually } from '../conformance/tools.js';
import { cli, cliJson } from '../support/cli.js';
import { contents, SETTINGS, withStore } from '../support/topologies.js';
import { plantSample } from './sample.js';

let server: string;
let from: string;
let global: Connection;

beforeEach(async () => {
  ({ server, from } = await plantSample());
  global = await storesFor(SETTINGS, 'write').open(parseAddress(from), 'global');
});
afterEach(() => global.close());

const cell = (name: string) => `memory://${server}/vitess/${name}`;
const everything = async () =>
  (await Promise.all([from, cell('zone1'), cell('zone2')].map(contents))).map((each) => [...each]);
const change = (path: string, json: Parameters<typeof encode>[1], message = 'topodata.Shard') =>
  global.update(path, encode(message, json), null);
const rebuild = (...more: string[]) => cli(['graph', 'rebuild', from, ...more]);

/** Makes SrvKeyspace of commerce stale in both cells. */
const stopServing = () => change('keyspaces/commerce/shards/0/Shard', {});

describe('graph check', () => {
  test('after a rebuild finds nothing, and writes nothing', async () => {
    expect((await rebuild()).code).toBe(0);
    const before = await everything();
    const { code, out, err } = await cli(['graph', 'check', from]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/as Vitess 24 makes it\n8 records as a rebuild would make them/);
    expect(await everything()).toEqual(before);
  });

  test('names what is stale field by field, and exits with 1', async () => {
    await rebuild();
    await stopServing();
    const { code, out } = await cli(['graph', 'check', from]);
    expect(code).toBe(1);
    expect(out).toContain('stale zone1:keyspaces/commerce/SrvKeyspace');
    expect(out).toMatch(/partitions\[primary\]: .+ → \(absent\)/);
    expect(await cliJson(['graph', 'check', from, 'commerce', '--cells', 'zone2'], [1])).toMatchObject({
      command: 'graph check',
      target: '24',
      stale: 1,
      refused: [],
      records: [{ cell: 'zone2', state: 'stale', differences: [{ path: 'partitions[primary]' }, {}, {}] }],
    });
  });

  test('names a shard that serves by its served_types alone', async () => {
    await change('keyspaces/commerce/shards/0/Shard', { served_types: [{ tablet_type: 'PRIMARY' }] });
    const { code, out } = await cli(['graph', 'check', from, '--target-version', '12']);
    expect(code).toBe(1);
    expect(out).toMatch(/not serving commerce\/0: served_types says that it serves/);
    expect((await cli(['graph', 'check', from, '--target-version', '11'])).out).not.toContain('not serving');
  });

  test('names a shard that serves and has no primary, which a rebuild does not mind', async () => {
    await rebuild();
    await change('keyspaces/commerce/shards/0/Shard', { is_primary_serving: true });
    const { code, out } = await cli(['graph', 'check', from]);
    expect(out).toContain('no primary commerce/0: it serves, and no tablet is its primary');
    expect(out).not.toMatch(/no primary (?!commerce)/);
    expect(code).toBe(0);
    expect(await cliJson(['graph', 'check', from])).toMatchObject({
      withoutPrimary: [{ keyspace: 'commerce', shard: '0' }],
    });
  });

  test('says why a rebuild would be refused, and exits with 4', async () => {
    await rebuild();
    await global.delete('keyspaces/customer/shards/80-/Shard', null);
    const { code, out } = await cli(['graph', 'check', from]);
    expect(out).toMatch(/refused customer: .* does not end with max key/);
    expect(code).toBe(4);
    expect(await cliJson(['graph', 'check', from, 'customer'], [4])).toMatchObject({
      stale: 0,
      refused: [{ of: 'customer', code: 'Guard', hint: expect.any(String) }],
    });
  });
});

describe('graph rebuild', () => {
  test('writes what is stale, under the lock that Vitess takes, and nothing else', async () => {
    await rebuild();
    await stopServing();
    const lock = await global.lock('keyspaces/commerce', 'somebody else');
    const running = rebuild('commerce');
    await eventually('it waits for its turn, and says so as Vitess does', async () => {
      const waiting = (await global.lockQueue('keyspaces/commerce')).find(({ holds }) => !holds);
      expect(waiting?.contents).toContain('"Action": "RebuildKeyspace"');
    });
    await lock.unlock();
    const { code, out } = await running;
    expect(out).toMatch(
      /update zone1:.*SrvKeyspace\n[\s\S]*update zone2:.*SrvKeyspace\n[\s\S]*wrote 2 records/,
    );
    expect(code).toBe(0);
    expect(await global.lockQueue('keyspaces/commerce')).toEqual([]);
    const written = (await contents(cell('zone1'))).get('keyspaces/commerce/SrvKeyspace');
    expect(decode('topodata.SrvKeyspace', written ?? Buffer.of(1)).json).toEqual({});
    expect((await rebuild('commerce')).out).toContain('nothing to write');
  });

  test('--dry-run shows it and writes nothing', async () => {
    await rebuild();
    await stopServing();
    const before = await everything();
    expect((await rebuild('--dry-run')).out).toMatch(
      /update zone1:[\s\S]*dry run: 2 records would be written/,
    );
    expect(await cliJson(['graph', 'rebuild', from, '--dry-run'])).toMatchObject({
      dryRun: true,
      records: [{ cell: 'zone1', before: expect.stringMatching(/^[\w+/=]+$/), after: '' }, { cell: 'zone2' }],
    });
    expect(await everything()).toEqual(before);
  });

  test('keeps to the cells, to SrvVSchema, or to SrvKeyspace when asked', async () => {
    await rebuild();
    await stopServing();
    await change('keyspaces/commerce/VSchema', { sharded: true }, 'vschema.Keyspace');
    const written = async (...more: string[]) =>
      (await rebuild('--dry-run', ...more)).out.match(/\S+:\S*Srv\w+/g);
    const keyspace = ['zone1:keyspaces/commerce/SrvKeyspace', 'zone2:keyspaces/commerce/SrvKeyspace'];
    const vschema = ['zone1:SrvVSchema', 'zone2:SrvVSchema'];
    expect(await written()).toEqual([...keyspace, ...vschema]);
    expect(await written('--keyspaces', '--vschema')).toEqual([...keyspace, ...vschema]);
    expect(await written('--vschema')).toEqual(vschema);
    expect(await written('--keyspaces')).toEqual(keyspace);
    expect(await written('commerce,orders', '--cells', 'zone2')).toEqual(keyspace.slice(1));
    expect(await written('orders')).toBeNull();
  });

  test('deletes what a keyspace without record left, with --yes alone', async () => {
    await rebuild();
    await global.delete('keyspaces/commerce/Keyspace', null);
    const args = ['commerce', '--cells', 'zone1'];
    const shown = await rebuild(...args);
    expect(shown).toMatchObject({ code: 4, err: expect.stringMatching(/1 record of a keyspace.*\n.*--yes/) });
    expect((await rebuild(...args, '--yes')).out).toContain('delete zone1:keyspaces/commerce/SrvKeyspace');
    expect((await contents(cell('zone1'))).has('keyspaces/commerce/SrvKeyspace')).toBe(false);
  });

  test('takes a partial snapshot keyspace when told to', async () => {
    await change('keyspaces/customer/Keyspace', { keyspace_type: 'SNAPSHOT' }, 'topodata.Keyspace');
    await global.delete('keyspaces/customer/shards/80-/Shard', null);
    expect((await rebuild('customer')).code).toBe(4);
    expect((await rebuild('customer', '--allow-partial')).code).toBe(0);
  });
});

describe('bad input is refused before anything is written', () => {
  test.each([
    [['nothing'], 3, /no such keyspace.*keyspaces\/nothing\/Keyspace/],
    [['commerce,'], 2, /empty name/],
    [['commerce', '--vschema'], 2, /SrvVSchema is made of all keyspaces/],
    [['--vschema=yes'], 2, /--vschema is true or false/],
    [['--cells', 'zone1,zone9'], 2, /no cell zone9/],
    [['--target-version', '99'], 2, /no version of Vitess/],
    [['commerce', 'customer'], 2, /unexpected word customer/],
  ])('%j', async (more, code, message) => {
    await stopServing();
    const before = await everything();
    const result = await rebuild(...more);
    expect(result.err).toMatch(message);
    expect(result.err).toContain('→');
    expect(result.code).toBe(code);
    expect(await everything()).toEqual(before);
  });

  test('a gap in one keyspace, also where another could be rebuilt first', async () => {
    await stopServing();
    await global.delete('keyspaces/customer/shards/80-/Shard', null);
    const before = await everything();
    const { code, err } = await rebuild();
    expect(err).toMatch(/keyspace customer: .*does not end with max key[\s\S]*to rebuild others, name them/);
    expect(code).toBe(4);
    expect(await everything()).toEqual(before);
    expect((await rebuild('commerce')).code).toBe(0);
  });

  test('shards that overlap', async () => {
    const key_range = { start: Buffer.of(0x40).toString('base64') };
    await global.create(
      'keyspaces/customer/shards/40-/Shard',
      encode('topodata.Shard', { key_range, is_primary_serving: true }),
    );
    await global.delete('keyspaces/customer/shards/80-/Shard', null);
    const before = await everything();
    const { code, err } = await rebuild();
    expect(err).toMatch(
      /customer: non-contiguous KeyRange values for PRIMARY in cell zone1 at shard 0 to 1: 80 != 40/,
    );
    expect(code).toBe(4);
    expect(await everything()).toEqual(before);
  });

  test.each([
    ['global', 'keyspaces/customer/shards/80-/Shard', 'topodata.Shard'],
    ['global', 'keyspaces/customer/Keyspace', 'topodata.Keyspace'],
    ['global', 'keyspaces/customer/VSchema', 'vschema.Keyspace'],
    ['global', 'RoutingRules', 'vschema.RoutingRules'],
    ['global', 'cells/zone2/CellInfo', 'topodata.CellInfo'],
    ['zone1', 'keyspaces/customer/SrvKeyspace', 'topodata.SrvKeyspace'],
  ])('a record that does not decode: %s:%s', async (scope, path, message) => {
    await withStore(cell(scope), (store) => store.update(path, Uint8Array.of(0xff), null));
    const before = await everything();
    const { code, err } = await rebuild();
    expect(err).toContain(`not a ${message}`);
    expect(err).toMatch(new RegExp(`${path.replaceAll('/', '\\/')}.*\n {2}→ \\S`));
    expect([2, 3]).toContain(code);
    expect(await everything()).toEqual(before);
  });

  test('a SrvVSchema that does not decode is stale, and made anew', async () => {
    await rebuild();
    await withStore(cell('zone1'), (store) => store.update('SrvVSchema', Uint8Array.of(0xff), null));
    expect((await cli(['graph', 'check', from])).out).toMatch(
      /stale zone1:SrvVSchema\n {4}\(record\): not a/,
    );
    expect((await rebuild()).out).toContain('wrote 1 record');
    expect((await cli(['graph', 'check', from])).code).toBe(0);
  });

  test('a migration on its way', async () => {
    await withStore(cell('zone1'), (store) =>
      store.update(
        'keyspaces/orders/SrvKeyspace',
        encode('topodata.SrvKeyspace', {
          partitions: [
            {
              served_type: 'RDONLY',
              shard_tablet_controls: [{ name: '-80', query_service_disabled: true }],
            },
          ],
        }),
        null,
      ),
    );
    const before = await everything();
    expect((await rebuild()).err).toMatch(
      /keyspace orders: can't rebuild serving keyspace while a migration/,
    );
    expect(await everything()).toEqual(before);
  });
});

test.each(['check', 'rebuild'])(
  'graph %s refuses a topology without cells, as a wrong address is',
  async (what) => {
    const empty = `memory://${server}/elsewhere/global`;
    const { code, out, err } = await cli(['graph', what, empty]);
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toMatch(/there are no cells.*\[NoNode\]\n {2}→ \S/);
    expect(await contents(empty)).toEqual(new Map());
  },
);

test('the words may begin with the keyspace where flags give the address', async () => {
  const flags = ['--topo-implementation', 'memory', '--topo-global-server-address', server];
  const args = [...flags, '--topo-global-root', '/vitess/global'];
  expect(await cliJson(['graph', 'check', 'commerce', ...args], [0, 1])).toMatchObject({
    records: [{ path: 'keyspaces/commerce/SrvKeyspace' }, {}],
  });
  expect((await cli(['graph', 'check', from, 'commerce', ...args])).err).toMatch(/not both/);
});
