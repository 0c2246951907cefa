import { describe, expect, test } from 'vitest';
import { decode, encode } from '../../src/topo/codec.js';
import { cli, cliJson } from '../support/cli.js';
import { withStore } from '../support/topologies.js';
import { writing } from './writing-topology.js';

const on = writing();
const put = (path: string, input: string | Uint8Array, ...more: string[]) =>
  cli(['put', on.from, path, ...more], {}, { input });

const KEYSPACE = 'keyspaces/commerce/Keyspace';
const TABLET = 'tablets/zone1-0000000100/Tablet';

describe('put', () => {
  test('writes the bytes as they are given, from standard input and from a file', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 10]);
    expect(await put('metadata/blob', bytes)).toMatchObject({ code: 0, err: '' });
    expect(await on.stored('metadata/blob')).toEqual(bytes);
    expect((await put('metadata/blob', '', '--file', await on.work.file('other\n'))).code).toBe(0);
    expect(await on.stored('metadata/blob')).toEqual(Buffer.from('other\n'));
    expect((await put('/metadata/blob', 'third', '--file=-')).code).toBe(0);
    expect(await on.stored('metadata/blob')).toEqual(Buffer.from('third'));
  });

  test('encodes JSON, and says what changes field by field', async () => {
    const json = '# a comment\n{ "durability_policy": "semi_sync", "sidecar_db_name": "_vt" }';
    const { code, out, err } = await put(KEYSPACE, json, '--json', '--yes');
    expect(err).toBe('');
    expect(out).toMatch(
      /^update global:keyspaces\/commerce\/Keyspace\n {4}durability_policy: "none" → "semi_sync"\nto be weighed:\n {2}reparents and VTOrc go by it from now on \(needs --yes\): 1\n/,
    );
    expect(out).toMatch(/done 1 record\n$/);
    expect(code).toBe(0);
    expect(decode('topodata.Keyspace', (await on.stored(KEYSPACE)) ?? Buffer.of()).json).toEqual({
      durability_policy: 'semi_sync',
      sidecar_db_name: '_vt',
    });
  });

  test('is undone by what it printed', async () => {
    const before = await on.everything();
    const { out } = await put('metadata/owner', 'somebody else');
    const line = out.split('\n').find((each) => each.startsWith('{')) ?? '';
    expect((await cli(['undo', on.from, await on.work.file(line)])).code).toBe(0);
    expect(await on.everything()).toEqual(before);
  });

  test('is one document for programs', async () => {
    const before = await on.everything();
    const args = ['put', on.from, KEYSPACE, '--json'];
    const json = '{"durability_policy": "cross_cell"}';
    const shown = {
      command: 'put',
      changes: [{ scope: 'global', path: KEYSPACE, before: expect.any(String), after: expect.any(String) }],
      reasons: [
        { scope: 'global', path: KEYSPACE, needs: 'yes', reason: expect.stringMatching(/VTOrc/) },
        { needs: 'yes', reason: expect.stringMatching(/database/) },
      ],
    };
    expect(await cliJson([...args, '--dry-run'], [0], json)).toMatchObject({
      ...shown,
      dryRun: true,
      written: false,
    });
    expect(await on.everything()).toEqual(before);
    expect(await cliJson([...args, '--yes'], [0], json)).toMatchObject({
      ...shown,
      dryRun: false,
      written: true,
    });
    expect(await cliJson([...args], [0], json)).toMatchObject({ changes: [], written: false });
    expect(await cliJson(['put', on.from, 'metadata/x'], [0], 'y')).toMatchObject({ reasons: [] });
  });

  test('of what is there already changes nothing', async () => {
    expect(await put('metadata/owner', 'payments')).toMatchObject({ code: 0, out: 'nothing to change\n' });
  });

  test('--create and --if-version hold to the state that is asked for', async () => {
    const version = async () => {
      const shown = await cliJson(['cat', on.from, 'metadata/owner']);
      return String((shown as { version: string }).version);
    };
    const old = await version();
    expect((await put('metadata/owner', 'second', '--if-version', old)).code).toBe(0);
    const before = await on.everything();
    expect(await put('metadata/owner', 'third', '--if-version', old, '--force', '--yes')).toMatchObject({
      code: 3,
      err: expect.stringMatching(/has version .*BadVersion/),
    });
    expect(
      await put('metadata/owner', 'third', '--if-version', `${await version()}@memory:other/x`),
    ).toMatchObject({
      code: 3,
      err: expect.stringMatching(/of another store.*BadVersion/),
    });
    expect(await put('metadata/none', 'third', '--if-version', old)).toMatchObject({
      code: 3,
      err: expect.stringMatching(/NoNode/),
    });
    expect(await put('metadata/owner', 'third', '--create', '--force')).toMatchObject({
      code: 3,
      err: expect.stringMatching(/NodeExists/),
    });
    expect(await on.everything()).toEqual(before);
    expect((await put('metadata/none', 'first', '--create')).code).toBe(0);
  });

  test('says so of a path at which Vitess has no record', async () => {
    const { code, out } = await put('keyspaces/commerce/Keyspaec', 'x');
    expect(out).toMatch(/Vitess has no record at such a path, and reads none there: 1\n/);
    expect(code).toBe(0);
  });

  test('leaves a record alone that moved after it was shown', async () => {
    const { code, err } = await withStore(on.from, async (store) => {
      let change: Promise<unknown> | undefined;
      const onOut = () => {
        change ??= store.update('metadata/owner', Buffer.from('moved'), null);
      };
      const result = await cli(['put', on.from, 'metadata/owner'], {}, { input: 'mine', onOut });
      await change;
      return result;
    });
    expect(err).toContain('BadVersion');
    expect(code).toBe(3);
    expect(await on.stored('metadata/owner')).toEqual(Buffer.from('moved'));
  });

  test('needs --yes for what a running cluster goes by, which the environment cannot say', async () => {
    const before = await on.everything();
    const env = { TOPO2TOPO_YES: 'true', TOPO2TOPO_FORCE: 'true' };
    const input = '{"durability_policy": "none"}';
    const { code, out, err } = await cli(['put', on.from, KEYSPACE, '--json'], env, { input });
    expect(out).toMatch(/database named here \(needs --yes\)/);
    expect(err).toMatch(/a running cluster goes by what would change.*\n.*add --yes\n/);
    expect(code).toBe(4);
    expect(await put('metadata/owner', '')).toMatchObject({
      code: 4,
      out: expect.stringMatching(/zero bytes \(needs --yes\)/),
    });
    expect(await on.everything()).toEqual(before);
  });

  test('a blank tablet over a filled one, and the loss of unknown fields, need --force too', async () => {
    const filled = decode('topodata.Tablet', (await on.stored(TABLET, 'zone1')) ?? Buffer.of()).json;
    const { hostname: _, ...blank } = filled;
    const inZone1 = ['--cell', 'zone1', '--json', '--yes'];
    const refused = await put(TABLET, JSON.stringify(blank), ...inZone1);
    expect(refused).toMatchObject({ code: 4, err: expect.stringMatching(/add --force/) });
    expect(refused.out).toMatch(/a blank hostname is how a stopped tablet looks.*needs --yes --force/);
    expect((await put(TABLET, JSON.stringify(blank), ...inZone1, '--force')).code).toBe(0);

    const unknown = Buffer.concat([encode('topodata.Keyspace', {}), Buffer.from([0xfa, 0x01, 0x01, 0x41])]);
    await withStore(on.from, (store) => store.update(KEYSPACE, unknown, null));
    const lost = await put(KEYSPACE, '{"base_keyspace": "commerce"}', '--json', '--yes');
    expect(lost).toMatchObject({ code: 4, out: expect.stringMatching(/loses fields.*#31/) });
    expect(await on.stored(KEYSPACE)).toEqual(unknown);
  });
});

describe('bad input writes nothing', () => {
  const tablet = (extra: object) =>
    JSON.stringify({
      alias: { cell: 'zone1', uid: 100 },
      hostname: 'h',
      keyspace: 'commerce',
      shard: '0',
      ...extra,
    });
  const partition = (...names: string[]) =>
    JSON.stringify({
      partitions: [
        {
          served_type: 'PRIMARY',
          shard_references: names.map((name) => {
            const [start = '', end = ''] = name
              .split('-')
              .map((hex) => Buffer.from(hex, 'hex').toString('base64'));
            return { name, key_range: { start, end } };
          }),
        },
      ],
    });
  const ZONE1 = ['--cell', 'zone1'];
  const ROWS: readonly (readonly [
    what: string,
    path: string,
    input: string,
    more: string[],
    code: number,
    err: RegExp,
  ])[] = [
    ['no JSON', KEYSPACE, '{"durability_policy": x}', [], 2, /no JSON: Unexpected token 'x' \(line 1\)/],
    ['JSON that ends early', KEYSPACE, '{\n"served_froms": [', [], 2, /no JSON: it ends too early/],
    ['an empty text', KEYSPACE, '# nothing\n', [], 2, /the text is empty/],
    [
      'a name twice',
      KEYSPACE,
      '{"base_keyspace": "a",\n"base_keyspace": "b"}',
      [],
      2,
      /"base_keyspace" is there twice \(line 2\)/,
    ],
    ['an unknown field', KEYSPACE, '{"durability": "none"}', [], 2, /durability: unknown field/],
    [
      'JSON where nothing has a message',
      'metadata/x',
      '{}',
      [],
      2,
      /no JSON form of records here \(Metadata\)/,
    ],
    [
      'a keyspace name',
      'keyspaces/a.b/Keyspace',
      '{}',
      ['--yes'],
      2,
      /keyspace: invalid character \. in name/,
    ],
    [
      'a shard name',
      'keyspaces/commerce/shards/80-40/Shard',
      '{}',
      [],
      2,
      /shard: the key range .* holds nothing/,
    ],
    [
      'another key range than the name',
      'keyspaces/customer/shards/-80/Shard',
      '{"key_range": {"start": "gA=="}}',
      [],
      2,
      /stands for -80, and key_range is 80-/,
    ],
    [
      'a key range without a name',
      'keyspaces/commerce/shards/0/Shard',
      '{"key_range": {"start": "gA=="}}',
      [],
      2,
      /no key range in its name/,
    ],
    [
      'two controls of one type',
      'keyspaces/commerce/shards/0/Shard',
      '{"tablet_controls": [{"tablet_type": "RDONLY"}, {"tablet_type": "RDONLY"}]}',
      [],
      2,
      /tablet_controls\[rdonly\] is there twice/,
    ],
    [
      'two rules for one table',
      'RoutingRules',
      '{"rules": [{"from_table": "t"}, {"from_table": "t"}]}',
      [],
      2,
      /rules\[t\] is there twice/,
    ],
    [
      'a percentage',
      'MirrorRules',
      '{"rules": [{"from_table": "t", "percent": 101}]}',
      [],
      2,
      /rules\[0\]: percent is 101/,
    ],
    [
      'a vindex that is none',
      'keyspaces/commerce/VSchema',
      '{"tables": {"t": {"column_vindexes": [{"name": "hash"}]}}}',
      [],
      2,
      /uses the vindex hash, which is not defined/,
    ],
    [
      'a tablet in another directory',
      'tablets/zone1-0000000101/Tablet',
      tablet({}),
      ZONE1,
      2,
      /the alias is zone1-0000000100, and the directory zone1-0000000101/,
    ],
    [
      'a tablet of another cell',
      TABLET,
      tablet({}),
      ['--cell', 'zone2'],
      2,
      /a tablet of cell zone1 in the store of cell zone2/,
    ],
    ['a directory that is no alias', 'tablets/zone1/Tablet', tablet({}), ZONE1, 2, /not a tablet alias/],
    [
      'a tablet whose range is not its shard’s',
      TABLET,
      tablet({ shard: '-80' }),
      ZONE1,
      2,
      /stands for -80, and key_range is -/,
    ],
    ['a port', TABLET, tablet({ port_map: { vt: 70000 } }), ZONE1, 2, /70000 is no port/],
    [
      'a gap',
      'keyspaces/customer/SrvKeyspace',
      partition('-40', '80-'),
      ZONE1,
      2,
      /partitions\[0\]: its shards do not meet: one ends at 40, the next begins at 80/,
    ],
    ['a missing end', 'keyspaces/customer/SrvKeyspace', partition('-40', '40-80'), ZONE1, 2, /end at 80/],
    [
      'an alias with a cell of another',
      'cells_aliases/east/CellsAlias',
      '{"cells": ["zone1"]}',
      [],
      2,
      /zone1 is in alias region1 already.*\n.*cell alias/,
    ],
    [
      'an alias with an unknown cell',
      'cells_aliases/region1/CellsAlias',
      '{"cells": ["zone9"]}',
      [],
      2,
      /no cell zone9/,
    ],
    [
      'a CellInfo',
      'cells/zone1/CellInfo',
      '{"root": "/x"}',
      [],
      2,
      /.*\n.*use topo2topo cell add or cell update/,
    ],
  ];

  test.each(ROWS)('%s', async (_, path, input, more, code, err) => {
    const before = await on.everything();
    const result = await put(path, input, '--json', '--yes', ...more.filter((word) => word !== '--yes'));
    expect(result).toMatchObject({ code, out: '', err: expect.stringMatching(err) });
    expect(result.err.trim().split('\n').length).toBe(2);
    expect(await on.everything()).toEqual(before);
  });

  const RAW: readonly (readonly [
    what: string,
    path: string,
    input: string,
    more: string[],
    code: number,
    err: RegExp,
  ])[] = [
    ['bytes that do not decode', KEYSPACE, '\u00ff\u00ff', [], 2, /not a topodata\.Keyspace/],
    [
      'an entry of a lock',
      'keyspaces/commerce/locks/1',
      'x',
      ['--force'],
      4,
      /entry of a lock.*\n.*locks break/,
    ],
    ['an entry of an election', 'elections/vtctld/1', 'x', ['--force'], 4, /entry of an election/],
    ['a record of this tool', 'topo2topo/epoch', 'x', ['--force'], 4, /record of this tool/],
    ['a directory', 'keyspaces/commerce', 'x', [], 2, /this is a directory/],
    ['below a record', 'keyspaces/commerce/Keyspace/x', 'x', [], 2, /Keyspace is a record/],
    [
      'the store of another kind',
      KEYSPACE,
      'x',
      ZONE1,
      2,
      /no Keyspace is kept in a cell’s store.*\n.*leave out --cell/,
    ],
    [
      'the global store for a tablet',
      TABLET,
      'x',
      [],
      2,
      /no Tablet is kept in the global store.*\n.*--cell/,
    ],
    ['what Vitess reads as a tablet', 'tablets-old/x', 'x', ZONE1, 2, /reads everything there as a Tablet/],
    ['a path that is none', 'metadata//x', 'x', ['--force'], 2, /empty segment/],
    ['a directory by its slash', 'metadata/x/', 'x', [], 2, /ends in \/ is a directory/],
    ['no path', '', 'x', [], 2, /no path is given/],
    ['an unknown cell', TABLET, 'x', ['--cell', 'zone9'], 2, /no cell zone9/],
    ['a file that is not there', 'metadata/x', 'x', ['--file', '/nowhere/x'], 2, /cannot be read/],
    ['two states at once', 'metadata/x', 'x', ['--create', '--if-version', '1'], 2, /exclude one another/],
    ['a switch with a value', 'metadata/x', 'x', ['--create=maybe'], 2, /--create is true or false/],
  ];
  test.each(RAW)('%s', async (_, path, input, more, code, err) => {
    const before = await on.everything();
    const bytes = Buffer.from(input, 'latin1');
    const result = await put(path, bytes, '--yes', ...more);
    expect(result).toMatchObject({ code, out: '', err: expect.stringMatching(err) });
    expect(await on.everything()).toEqual(before);
  });

  test('more than the store takes', async () => {
    const bytes = Buffer.alloc(64 * 1024 * 1024);
    expect(await put('metadata/x', bytes, '--force')).toMatchObject({
      code: 4,
      err: expect.stringMatching(/TooLarge/),
    });
  });

  test('--force writes what is wrong, and says so', async () => {
    const { code, out } = await put(
      'RoutingRules',
      '{"rules": [{"from_table": "t"}, {"from_table": "t"}]}',
      '--json',
      '--force',
    );
    expect(out).toMatch(/forced: rules\[t\] is there twice/);
    expect(code).toBe(0);
  });

  test('who changes one field does not answer for what was wrong before', async () => {
    const path = 'keyspaces/a.b/Keyspace';
    await withStore(on.from, (store) =>
      store.create(path, encode('topodata.Keyspace', { base_keyspace: 'c.d' })),
    );
    const json = JSON.stringify({ base_keyspace: 'c.d', durability_policy: 'none' });
    expect((await put(path, json, '--json', '--yes')).code).toBe(0);
    const worse = JSON.stringify({ base_keyspace: 'c/d', durability_policy: 'none' });
    expect((await put(path, worse, '--json', '--yes')).err).toMatch(/invalid character \//);
  });
});
