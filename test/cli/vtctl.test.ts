import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { REFUSED_COMMANDS } from '../../src/cli/commands/vtctl/refused.js';
import { KNOWN_NAMES, VTCTL_COMMANDS } from '../../src/cli/commands/vtctl/table.js';
import { encode } from '../../src/topo/codec.js';
import { makeLockContents, parseLockContents } from '../../src/topo/lock-contents.js';
import { cli } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';
import { BUILDING, lineOf, type Place, placeOf } from './vtctl-lines.js';

let folder: string;
let place: Place;
let server: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (scope: string) => `memory://${server}/vitess/${scope}`;
const vtctl = (line: string) => cli(lineOf(place, line));
const everything = async () =>
  Promise.all(['global', 'zone1', 'zone2', 'zone3'].map(async (scope) => [...(await contents(at(scope)))]));

beforeEach(async () => {
  server = `zookeeper:${randomUUID()}`;
  place = placeOf('memory', server);
  built ??= await build();
  for (const [scope, records] of built) {
    await withStore(at(scope), async (store) => {
      for (const [path, bytes] of records) await store.create(path, bytes);
    });
  }
  await withStore(at('global'), async (store) => {
    for (const cell of ['zone1', 'zone2']) {
      const info = { server_address: server, root: `/vitess/${cell}` };
      await store.update(`cells/${cell}/CellInfo`, encode('topodata.CellInfo', info), null);
    }
  });
});

/** What the building lines made, by scope. */
let built: Map<string, Map<string, Buffer>> | undefined;

async function build(): Promise<Map<string, Map<string, Buffer>>> {
  const name = `zookeeper:${randomUUID()}`;
  for (const line of BUILDING) {
    const { code, err } = await cli(lineOf(placeOf('memory', name), line));
    expect({ line, code, err: code === 0 ? '' : err }).toEqual({ line, code: 0, err: '' });
  }
  const scopes = ['global', 'zone1', 'zone2'];
  const read = scopes.map(
    async (scope) => [scope, await contents(`memory://${name}/vitess/${scope}`)] as const,
  );
  return new Map(await Promise.all(read));
}

const CHANGES = [
  'AddCellInfo -server_address $S -root $R(zone3) zone3',
  'UpdateCellInfo -server_address $S -root $R(zone3) zone3',
  'UpdateCellInfo -server_address h1:2181 zone3',
  'UpdateCellInfo -root /vitess/zone3 zone3',
  'DeleteCellInfo -force zone2',
  'UpdateCellsAlias -cells zone2 east',
  'DeleteCellsAlias east',
  'CreateKeyspace -keyspace_type SNAPSHOT -base_keyspace customer -snapshot_time 2026-01-02T03:04:05Z customer_then',
  'CreateShard -parent new/40-80',
  'InitTablet -allow_update -hostname h -keyspace commerce -shard 0 zone1-100 replica',
  'InitTablet -allow_update -allow_different_shard -keyspace customer -shard 80- zone2-101 replica',
  'InitTablet -parent -keyspace more -shard 0 zone1-900 primary',
  'DeleteTablet -allow_primary zone1-100',
  'DeleteTablet zone2-101 zone2-300',
  'DeleteShard -recursive archive/80-',
  'DeleteKeyspace -recursive commerce',
  'RemoveKeyspaceCell -recursive commerce zone2',
  'RemoveShardCell -recursive commerce/0 zone2',
  'SetShardIsPrimaryServing commerce/0 false',
  'ApplyVSchema -vschema {"tables":{"t":{}}} commerce',
  'ApplyRoutingRules -rules {}',
  'ApplyShardRoutingRules -rules {"rules":[]}',
] as const;

describe('a line that changes something', () => {
  test.each(CHANGES)('%s is put back by what it says', async (line) => {
    const before = await everything();
    const { code, out, err } = await vtctl(line);
    expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
    if (!line.startsWith('Apply')) expect(out).toBe('');
    expect(await everything()).not.toEqual(before);
    // One document for each of several changes, the last one to be put back first.
    const documents = err.split('\n').filter((each) => each.startsWith('{'));
    for (const document of documents.reverse()) {
      const file = join(folder, 'undo.json');
      await writeFile(file, document);
      expect(await cli(['undo', at('global'), file, '--yes'])).toMatchObject({ code: 0, err: '' });
    }
    expect(await everything()).toEqual(before);
  });

  test('prints what is applied, and writes nothing with -dry-run', async () => {
    const before = await everything();
    const { code, out, err } = await vtctl('ApplyVSchema -vschema {"tables":{"t":{}}} -dry-run commerce');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      'New VSchema object:\n{\n  "tables": {\n    "t": {}\n  }\n}\n' +
        'If this is not what you expected, check the input data.\nDry run: Skipping update of VSchema\n',
    );
    expect(await everything()).toEqual(before);
  });

  test('rebuilds SrvVSchema, unless told not to', async () => {
    const served = async () => (await contents(at('zone1'))).get('SrvVSchema');
    const before = await served();
    await vtctl('ApplyVSchema -vschema {"tables":{"t":{}}} -skip_rebuild commerce');
    expect(await served()).toEqual(before);
    expect((await vtctl('RebuildVSchemaGraph -cells zone2')).code).toBe(0);
    expect(await served()).toEqual(before);
    expect((await vtctl('RebuildVSchemaGraph')).code).toBe(0);
    expect(await served()).not.toEqual(before);
  });

  test('says so when there is nothing to change', async () => {
    expect(await vtctl('RebuildKeyspaceGraph *')).toMatchObject({ code: 4 });
    expect(await vtctl('RebuildKeyspaceGraph c*')).toMatchObject({
      code: 0,
      out: '',
      err: 'nothing to change\nnothing to change\n',
    });
  });

  test('leaves a shard that is not there alone, and goes on', async () => {
    const { code, err } = await vtctl('DeleteShard -recursive archive/-80 archive/80-');
    expect(code).toBe(0);
    expect(err).toMatch(/there is no shard archive\/-80, skipping it\n[\s\S]*done/);
  });
});

describe('locks', () => {
  const LOCKED: readonly (readonly [line: string, dir: string, action: string])[] = [
    ['CreateShard -force commerce/-80', 'keyspaces/commerce', 'CreateShard'],
    ['InitTablet -parent -keyspace commerce -shard -80 zone1-9 replica', 'keyspaces/commerce', 'CreateShard'],
    [
      'SetShardIsPrimaryServing commerce/0 0',
      'keyspaces/commerce',
      'SetShardIsPrimaryServing(commerce,0,false)',
    ],
    ['DeleteKeyspace -recursive commerce', 'keyspaces/commerce', 'DeleteKeyspace'],
    ['DeleteKeyspace -recursive commerce', 'keyspaces/commerce/shards/0', 'DeleteShard'],
    ['DeleteShard -recursive archive/80-', 'keyspaces/archive/shards/80-', 'DeleteShard'],
    [
      'DeleteTablet -allow_primary zone1-100',
      'keyspaces/commerce/shards/0',
      'DeleteTablet(zone1-0000000100)',
    ],
    ['RebuildKeyspaceGraph -cells zone1 archive', 'keyspaces/archive', 'RebuildKeyspace'],
  ];

  test.each(LOCKED)('%s waits for the lock of %s as Vitess does', async (line, dir, action) => {
    // A keyspace whose shards cover everything can be rebuilt.
    await vtctl('CreateShard archive/-80');
    await withStore(at('global'), async (store) => {
      const held = await store.lock(dir, makeLockContents({ action: 'test', now: 0 }));
      const before = await everything();
      const running = vtctl(line);
      const waiting = async () => (await store.lockQueue(dir)).find(({ holds }) => !holds);
      await expect.poll(waiting, { timeout: 10_000 }).toBeDefined();
      const entry = await waiting();
      expect(parseLockContents(entry?.contents ?? '')).toMatchObject({ action, status: 'Running' });
      await held.unlock();
      expect(await running).toMatchObject({ code: 0 });
      expect(await everything()).not.toEqual(before);
      expect(await store.lockQueue(dir).catch(() => [])).toEqual([]);
    });
  });
});

test('a lock that is not to be had is named, with who has it, and nothing is written', async () => {
  await withStore(at('global'), async (store) => {
    const holder = makeLockContents({ action: 'Reshard', host: 'h7', user: 'vitess', now: Date.now() });
    const held = await store.lock('keyspaces/commerce', holder);
    const before = await everything();
    for (const flag of ['-lock_timeout', '--lock-wait-timeout']) {
      const line = lineOf(place, 'CreateShard -force commerce/-80');
      const { code, err } = await cli(['vtctl', flag, '50ms', ...line.slice(1)]);
      expect({ flag, code }).toEqual({ flag, code: 3 });
      expect(err).toMatch(
        /the lock of keyspaces\/commerce was not to be had.*\n.*held by .*Reshard by vitess@h7/,
      );
    }
    expect(await everything()).toEqual(before);
    await held.unlock();
  });
});

describe('UpdateCellInfo of a cell that is not there', () => {
  const path = 'cells/zone3/CellInfo';
  const recorded = async () => (await contents(at('global'))).get(path);

  test('adds it with what is given, whatever is given first, and says what is missing', async () => {
    const steps = ['-server_address $S', '-root $R(zone3)'] as const;
    const missing = { '-server_address $S': /no root yet/, '-root $R(zone3)': /no server_address yet/ };
    const whole = [];
    for (const [first, second] of [steps, steps.toReversed()] as [keyof typeof missing, string][]) {
      const half = await vtctl(`UpdateCellInfo ${first} zone3`);
      expect(half).toMatchObject({ code: 0, out: '', err: expect.stringMatching(missing[first]) });
      const both = await vtctl(`UpdateCellInfo ${second} zone3`);
      expect(both).toMatchObject({ code: 0, err: expect.not.stringMatching(/ yet/) });
      whole.push(await recorded());
      await vtctl('DeleteCellInfo -force zone3');
    }
    await vtctl('UpdateCellInfo -server_address $S -root $R(zone3) zone3');
    const atOnce = await recorded();
    expect(atOnce?.length).toBeGreaterThan(0);
    expect(whole).toEqual([atOnce, atOnce]);
  });

  test('writes a half as Vitess does: the field that is given, and no other', async () => {
    await vtctl('UpdateCellInfo -server_address h1:1 zone3');
    expect(await recorded()).toEqual(Buffer.from('\x0a\x04h1:1'));
    await vtctl('UpdateCellInfo -server_address h2:1 zone3');
    expect(await recorded()).toEqual(Buffer.from('\x0a\x04h2:1'));
  });

  test('writes nothing when nothing is given', async () => {
    const before = await everything();
    expect(await vtctl('UpdateCellInfo zone3')).toMatchObject({
      code: 0,
      out: '',
      err: 'nothing to change\n',
    });
    expect(await everything()).toEqual(before);
  });

  test('refuses a name that no cell can have', async () => {
    expect(await vtctl('UpdateCellInfo -root /x global')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/global/),
    });
  });
});

const BAD: readonly (readonly [line: string, code: number, said: RegExp])[] = [
  ['AddCellInfo -server_address $S zone3', 2, /root must be non-empty/],
  ['AddCellInfo -server_address $S -root $R(zone1) zone3', 2, /would overlap/],
  ['AddCellInfo -server_address $S -root $R(zone1) zone1', 3, /there is a cell zone1 already/],
  ['AddCellInfo zone3 zone4 -root /x', 2, /unexpected word zone4/],
  ['UpdateCellInfo -server_address $S -root $R(zone1) zone3', 2, /would overlap/],
  ['DeleteCellInfo zone1', 4, /still in use/],
  ['DeleteCellInfo zone9', 2, /no cell zone9/],
  ['GetCellInfo', 2, /needs more words.*\n.*write GetCellInfo <cell>/],
  ['AddCellsAlias -cells zone1 west', 4, /in alias east already/],
  ['AddCellsAlias west', 2, /has no cells/],
  ['CreateKeyspace commerce', 3, /a keyspace commerce already/],
  ['CreateKeyspace a.b', 2, /invalid character \./],
  ['CreateKeyspace -keyspace_type OTHER x', 2, /keyspace type OTHER is unknown/],
  ['CreateKeyspace -keyspace_type SNAPSHOT x', 2, /base_keyspace must be specified/],
  ['CreateKeyspace -keyspace_type SNAPSHOT -base_keyspace commerce x', 2, /snapshot_time must/],
  [
    'CreateKeyspace -keyspace_type SNAPSHOT -base_keyspace commerce -snapshot_time now x',
    2,
    /"now" is no time/,
  ],
  [
    'CreateKeyspace -keyspace_type SNAPSHOT -base_keyspace commerce -snapshot_time 2999-01-01T00:00:00Z x',
    2,
    /more than current time/,
  ],
  [
    'CreateKeyspace -keyspace_type SNAPSHOT -base_keyspace nope -snapshot_time 2020-01-01T00:00:00Z x',
    3,
    /there is no keyspace nope/,
  ],
  ['CreateKeyspace -base_keyspace commerce x', 2, /-base-keyspace is for a snapshot/],
  ['CreateShard commerce', 2, /not KEYSPACE\/SHARD/],
  ['CreateShard commerce/0', 3, /a shard commerce\/0 already/],
  ['CreateShard commerce/80-40', 2, /holds nothing/],
  ['CreateShard -parent new/80-40', 2, /holds nothing/],
  ['CreateShard -parent n.w/0', 2, /invalid character/],
  ['CreateShard nope/0', 3, /there is no keyspace nope/],
  ['InitTablet -keyspace commerce zone1-5 replica', 2, /-shard is not given/],
  ['InitTablet -keyspace commerce -shard 0 zone1 replica', 2, /not a tablet alias/],
  ['InitTablet -keyspace commerce -shard 0 zone1-5 leader', 2, /tablet type leader is unknown/],
  ['InitTablet -keyspace commerce -shard 0 zone9-5 replica', 2, /no cell zone9/],
  ['InitTablet -keyspace commerce -shard 0 -port 70000 zone1-5 replica', 2, /no port/],
  ['InitTablet -keyspace commerce -shard 0 -tags a zone1-5 replica', 2, /not NAME:VALUE/],
  ['InitTablet -keyspace commerce -shard 0 zone1-100 replica', 3, /a tablet zone1-0000000100 already/],
  ['InitTablet -keyspace commerce -shard 0 zone1-5 primary', 4, /another primary: zone1-0000000100/],
  ['InitTablet -keyspace commerce -shard 1 zone1-5 replica', 3, /there is no shard commerce\/1/],
  [
    'InitTablet -allow_update -keyspace customer -shard -80 zone2-101 replica',
    4,
    /the tablet is of shard commerce\/0/,
  ],
  ['DeleteTablet zone1-100', 4, /is the primary of commerce\/0/],
  ['DeleteTablet zone1-99', 3, /no tablet zone1-0000000099/],
  ['DeleteShard commerce/0', 4, /still serving in cell zone1/],
  ['DeleteShard -even_if_serving commerce/0', 4, /has 1 tablets in cell zone1/],
  ['DeleteKeyspace commerce', 4, /still has 1 shards/],
  ['DeleteKeyspace nope', 3, /no keyspace nope/],
  ['RemoveShardCell commerce/0 zone1', 4, /primary of shard commerce\/0 is in cell zone1/],
  ['SetShardIsPrimaryServing commerce/0 maybe', 2, /true or false/],
  ['RebuildKeyspaceGraph nope', 3, /no such keyspace/],
  ['RebuildKeyspaceGraph commerce archive', 4, /does not start with min key/],
  ['RebuildKeyspaceGraph x*', 3, /no keyspace fits "x\*"/],
  ['RebuildVSchemaGraph -cells zone9', 2, /no cell zone9/],
  ['ApplyVSchema -vschema {"shraded":true} commerce', 2, /shraded/],
  ['ApplyVSchema -vschema [] commerce', 2, /holds no JSON object/],
  ['ApplyVSchema -vschema {} -vschema_file x commerce', 2, /exactly one of/],
  ['ApplyVSchema -vschema_file /does/not/exist commerce', 2, /cannot be read: ENOENT/],
  ['ApplyVSchema -sql x commerce', 2, /in SQL are not read here/],
  ['ApplyVSchema -vschema {} nope', 3, /no keyspace nope/],
  ['ApplyRoutingRules -rules {"rules":[{"from":"a"}]}', 2, /rules\[0\]/],
  ['ApplyRoutingRules', 2, /exactly one of -rules and -rules_file/],
  ['TopoCp -to_topo package.json /keyspaces/commerce/Keyspace', 2, /cannot be that record/],
  ['TopoCp -to_topo package.json /keyspaces/commerce/locks/1', 2, /not written by hand/],
  ['TopoCp /keyspaces/nope/Keyspace x', 3, /keyspaces\/nope\/Keyspace/],
  ['GetTopologyPath keyspaces', 2, /a path begins with \//],
  ['GetTopologyPath /zone9/tablets', 2, /no cell zone9/],
  ['GetTopologyPath --data-as-json /global/keyspaces', 3, /directory and no record/],
  ['TopoCat -cell zone9 x', 2, /no cell zone9/],
  ['GetTablet zone1-99', 3, /no such record/],
  ['GetShard commerce/9', 3, /no shard commerce\/9/],
  ['ListAllTablets zone9', 2, /no cell zone9/],
  ['CreateShard -no_such_flag commerce/1', 2, /unknown flag -no_such_flag.*\n.*-force, -parent/],
];

describe('bad input is refused, and nothing is written', () => {
  test.each(BAD)('%s', async (line, code, said) => {
    const before = await everything();
    const result = await vtctl(line);
    expect(result.err).toMatch(said);
    expect(result).toMatchObject({ code, out: '' });
    expect(await everything()).toEqual(before);
  });

  test('a record that does not decode, though it is only read', async () => {
    await withStore(at('global'), (store) =>
      store.update('keyspaces/customer/VSchema', Buffer.of(255), null),
    );
    const before = await everything();
    expect(await vtctl('CreateKeyspace new')).toMatchObject({
      code: 3,
      err: expect.stringMatching(/customer/),
    });
    expect(await everything()).toEqual(before);
  });

  test('but for what else can be listed', async () => {
    await withStore(at('zone1'), (store) =>
      store.update('tablets/zone1-0000000100/Tablet', Buffer.of(255), null),
    );
    const { code, out, err } = await vtctl('ListAllTablets');
    expect(code).toBe(3);
    expect(out).toMatch(/^zone1-0000000200 .*\nzone2-0000000101 .*\nzone2-0000000300 .*\n$/);
    expect(err).toMatch(/tablets\/zone1-0000000100\/Tablet/);
  });
});

describe('names of commands', () => {
  test('every other command of Vitess is refused by name, with what to use instead', async () => {
    for (const [name, instead] of REFUSED_COMMANDS) {
      const { code, err } = await vtctl(name);
      expect({ name, code }).toEqual({ name, code: 2 });
      expect(err).toBe(`error ${name} is not offered here [Unsupported]\n  → ${instead}\n`);
    }
  });

  test('no name stands for two', () => {
    const names = KNOWN_NAMES.map((name) => name.toLowerCase());
    // ExecuteFetchAsDba and ExecuteFetchAsDBA are one, in two spellings.
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual(['executefetchasdba']);
  });

  test('all are in the documentation', async () => {
    const page = await readFile(join(import.meta.dirname, '../../docs/vtctl.md'), 'utf8');
    expect(KNOWN_NAMES.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
  });

  test('an unknown one is answered with those that may be meant', async () => {
    expect((await vtctl('GetCelInfo x')).err).toMatch(/is GetCellInfo meant\?/);
    expect((await vtctl('Frobnicate')).err).toMatch(/Help lists the commands/);
    expect(await cli(['vtctl', at('global')])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/vtctl what/),
    });
  });

  test('Help lists all, shows one, and so does -help', async () => {
    const { out } = await cli(['vtctl', 'Help']);
    for (const { name, params } of VTCTL_COMMANDS) expect(out).toContain(`${name} ${params}`.trim());
    const one = await cli(['vtctl', 'Help', 'CreateShard']);
    expect(one).toMatchObject({ code: 0, out: expect.stringMatching(/^CreateShard \[-force\] \[-parent\]/) });
    expect((await vtctl('CreateShard -help')).out).toBe(one.out);
    expect(await cli(['vtctl', 'Help', 'Backup'])).toMatchObject({ code: 2 });
    expect((await cli(['vtctl', '--help'])).out).toMatch(/vtctl TOPOLOGY COMMAND/);
  });
});

describe('the topology', () => {
  test.each([
    ['an address', () => [at('global')]],
    [
      'flags with two dashes',
      () => [
        '--topo-implementation=memory',
        '--topo-global-server-address',
        server,
        '--topo-global-root',
        '/vitess/global',
      ],
    ],
    [
      'flags among those of Vitess’s log',
      () => [
        '-logtostderr',
        '-v',
        '2',
        ...place.topology,
        '--stderrthreshold=INFO',
        '-alsologtostderr=false',
        '-tablet_manager_protocol',
        'grpc',
      ],
    ],
  ])('is given by %s', async (_, topology) => {
    const result = await cli(['vtctl', ...topology(), 'GetCellInfoNames']);
    expect(result).toMatchObject({ code: 0, out: 'zone1\nzone2\n', err: '' });
  });

  test('comes from the environment, too', async () => {
    const env = { TOPO2TOPO_ADDRESS: at('global') };
    expect(await cli(['vtctl', 'GetKeyspaces'], env)).toMatchObject({
      code: 0,
      out: 'archive\ncommerce\ncustomer\n',
    });
  });

  test('is not a vtctld', async () => {
    expect(await cli(['vtctl', '-server', 'localhost:15999', 'GetKeyspaces'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/-server names a vtctld/),
    });
  });

  test('is given once', async () => {
    expect(await cli(['vtctl', ...place.topology, at('global'), 'GetKeyspaces'])).toMatchObject({ code: 2 });
    expect(await cli(['vtctl', 'GetKeyspaces'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/the topology is not given/),
    });
  });
});

test('TopoCp copies a record to a file and back, byte for byte', async () => {
  const file = join(folder, 'Tablet');
  const path = '/tablets/zone1-0000000100/Tablet';
  expect(await vtctl(`TopoCp -cell zone1 ${path} ${file}`)).toMatchObject({ code: 0, out: '', err: '' });
  const stored = (await contents(at('zone1'))).get(path.slice(1));
  expect(await readFile(file)).toEqual(stored);
  await vtctl('DeleteTablet -allow_primary zone1-100');
  expect(await vtctl(`TopoCp -cell zone1 -to_topo ${file} ${path}`)).toMatchObject({ code: 0, out: '' });
  expect((await contents(at('zone1'))).get(path.slice(1))).toEqual(stored);
});

test('TopoCat without a flag gives the bytes, and goes on where a record is missing', async () => {
  const vschema = (await contents(at('global'))).get('keyspaces/customer/VSchema');
  const { code, bytes, out, err } = await vtctl(
    'TopoCat /keyspaces/nope/VSchema /keyspaces/customer/VSchema /keyspaces/customer',
  );
  expect({ code, bytes, out }).toEqual({ code: 3, bytes: vschema, out: '' });
  expect(err).toMatch(
    /this is a directory and no record.*keyspaces\/customer\b[\s\S]*keyspaces\/nope\/VSchema/,
  );
});

test('TopoCat shows what decodes, and fails with what does not', async () => {
  await withStore(at('global'), (store) => store.update('keyspaces/archive/Keyspace', Buffer.of(255), null));
  const { code, out, err } = await vtctl('TopoCat -decode_proto /keyspaces/*/Keyspace');
  expect(code).toBe(3);
  expect(out).toBe(
    'durability_policy:"none" sidecar_db_name:"_vt"\ndurability_policy:"semi_sync" sidecar_db_name:"_vt"\n',
  );
  expect(err).toMatch(/not a topodata\.Keyspace/);
});

test('a primary whose term is over is listed as unknown', async () => {
  const tablet = { alias: { cell: 'zone2', uid: 7 }, keyspace: 'commerce', shard: '0', type: 'PRIMARY' };
  await withStore(at('zone2'), (store) =>
    store.create('tablets/zone2-0000000007/Tablet', encode('topodata.Tablet', tablet)),
  );
  const { out } = await vtctl('ListAllTablets');
  expect(out).toMatch(/^zone2-0000000007 commerce 0 unknown :0 :0 \[\] <null>$/m);
  expect(out).toMatch(/^zone1-0000000100 commerce 0 primary /m);
});
