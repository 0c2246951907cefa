import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Planted, plantZookeeper, writeClientConfig } from '../legacy/plant.js';
import { BROKEN } from '../legacy/samples/odd.js';
import { WHOLE_RECORDS, WHOLE_ZOOKEEPER } from '../legacy/samples/whole.js';
import { available, startZooKeeper } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { keepReader } from '../zookeeper/keep-reader.js';

describe.runIf(available.zookeeper('3.8'))('looking at a legacy zookeeper of two ensembles', () => {
  let servers: Awaited<ReturnType<typeof startZooKeeper>>[];
  let planted: Planted;
  let folder: string;
  let address: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    servers = await Promise.all([1, 2].map(() => startZooKeeper({ version: '3.8' })));
    const [first = '', second = ''] = servers.map((server) => server.servers);
    planted = await plantZookeeper(WHOLE_ZOOKEEPER, { global: first, nyc: first, sfo: second, lon: second });
    address = `zookeeper:${await writeClientConfig(folder, planted)}`;
  });
  afterAll(async () => {
    await planted?.leave();
    await Promise.all((servers ?? []).map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  keepReader(() => servers[0]?.servers ?? '');

  const look = (...line: string[]) => cli(line, { ZK_CLIENT_LOCAL_CELL: 'sfo' });
  const out = async (...line: string[]) => {
    const { code, out: said, err } = await look(...line);
    expect({ line, code, err }).toEqual({ line, code: 0, err: '' });
    return said.split('\n').filter((text) => text !== '');
  };
  const paths = (scope: string) =>
    Object.keys(WHOLE_RECORDS).flatMap((path) => (path.startsWith(`${scope}:`) ? [path] : []));

  test('the canonical tree, the cells of the configuration in it', async () => {
    expect(await out('ls', address)).toEqual(['RoutingRules', 'cells', 'keyspaces', 'metadata', 'workflows']);
    expect(await out('ls', address, 'cells')).toEqual(['lon', 'nyc', 'sfo']);
    expect(await out('ls', address, 'sfo:tablets')).toEqual(
      ['200', '210', '220', '221'].map((uid) => `sfo-0000000${uid}`),
    );
    const cells = ['lon', 'nyc', 'sfo'].map((cell) => `global:cells/${cell}/CellInfo`);
    const found = await out('find', address);
    expect(found.toSorted()).toEqual([...cells, ...['global', 'nyc', 'sfo'].flatMap(paths)].toSorted());
    expect((await out('ls', address, '-l', 'nyc:keyspaces/main')).join('\n')).toMatch(
      /^-- +\d+ +\d+:\d+ SrvKeyspace\nd- +- +- shards\/$/,
    );
  });

  test('records are decoded, and told', async () => {
    for (const path of ['global:keyspaces/user/shards/-80/Shard', 'sfo:tablets/sfo-0000000210/Tablet']) {
      const [line = ''] = await out('cat', address, path, '--decode-proto-json');
      expect(JSON.parse(line)).toEqual([WHOLE_RECORDS[path]]);
    }
    const told = await out('stat', address, 'nyc:keyspaces/user/SrvKeyspace');
    expect(told.join('\n')).toMatch(/kind +SrvKeyspace, topodata\.SrvKeyspace\n/);
    expect((await out('grep', address, 'rack')).length).toBeGreaterThan(8);
  });

  test('lint judges it as the last Vitess that read it, unless another one is asked for', async () => {
    const { out: own } = await look('lint', address, '--output', 'json');
    expect(JSON.parse(own)).toMatchObject({ target: '2.1' });
    expect(own).not.toContain('serving-lost');
    const { out: newer } = await look('lint', address, '--output', 'json', '--target-version', '24');
    const lost = JSON.parse(newer).findings.filter(({ id }: { id: string }) => id === 'serving-lost');
    expect(lost.map(({ todo }: { todo: string }) => todo)).toContain(
      'say it when the topology is copied: topo2topo copy … --serving main/0=yes',
    );
    expect(newer).not.toMatch(/vtctldclient|SetShardIsPrimaryServing|"old"/);
  });

  test('the znodes as they are: a path says which cell it is of', async () => {
    const path = '/zk/sfo/vt/tablets/0000000200';
    for (const word of [path, path.replace('sfo', 'local'), `sfo:${path}`]) {
      const { bytes } = await look('cat', address, '--native', word);
      expect(bytes.toString()).toBe(JSON.stringify(WHOLE_ZOOKEEPER[path], null, 2));
    }
    expect(await out('ls', address, '--native', '/zk/nyc/vt')).toEqual([
      'ns',
      'replication',
      'tablets',
      'vschema',
    ]);
    const long = await out('ls', address, '--native', '-l', '/zk/local/vt/tablets');
    expect(long[0]).toMatch(/^ +czxid +mzxid .* numChildren +acl +name$/);
    expect(long[1]).toMatch(/ 2 +world:anyone cdrwa +0000000200$/);
    expect((await out('stat', address, '--native', '/zk/local/vt'))[0]).toBe('/zk/sfo/vt');
    expect((await out('tree', address, '--native', '/zk/local/vt/ns', '--depth', '1')).slice(1)).toEqual([
      expect.stringMatching(/^├── main \(\d+ B\) …$/),
      expect.stringMatching(/^├── old \(\d+ B\)$/),
      expect.stringMatching(/^└── user \(\d+ B\) …$/),
    ]);
    expect(await out('find', address, '--native', '/zk/sfo', '--name', 'vschema')).toEqual([
      '/zk/sfo/vt/vschema',
    ]);
  });

  test('a cell that is not there is refused, with those that are', async () => {
    for (const line of [
      ['ls', address, '--cell', 'par'],
      ['ls', address, '--native', '/zk/par/vt'],
      ['ls', address, 'par:tablets'],
    ]) {
      const { code, err } = await look(...line);
      expect(code).toBe(2);
      expect(err).toMatch(/no cell par.*\n.*lon, nyc, sfo/);
    }
    const local = await cli(['ls', address, '--native', '/zk/local'], { ZK_CLIENT_LOCAL_CELL: 'par' });
    expect(local).toMatchObject({
      code: 2,
      err: expect.stringMatching(/\/zk\/local is the cell par here.*\n.*ZK_CLIENT_LOCAL_CELL/),
    });
  });

  test('what is of neither generation is named, and shown as it is', async () => {
    const path = '/zk/nyc/vt/tablets/0000000275';
    const text = String(BROKEN[path]);
    const odd = await plantZookeeper({ [path]: text }, planted.config);
    await odd.leave();
    const told = await out('stat', address, 'nyc:tablets/nyc-0000000275/Tablet');
    expect(told.join('\n')).toMatch(/decodes +no/);
    expect((await look('cat', address, '--native', path)).bytes.toString()).toBe(text);
  });

  test('an export stops at what is lost and what cannot be read, and lists what it was to bear with', async () => {
    const tree = join(folder, 'tree');
    const unreadable = '/zk/nyc/vt/tablets/0000000275';
    const tablet = { Alias: { Cell: 'nyc', Uid: 276 }, Hostname: 'localhost', State: 'ReadOnly' };
    const odd = { [unreadable]: String(BROKEN[unreadable]), '/zk/nyc/vt/tablets/0000000276': tablet };
    await (await plantZookeeper(odd, planted.config)).leave();
    const borne = ['--skip-unreadable', 'tablets/nyc-0000000275/Tablet', '--accept-loss', 'state'];
    const stops = async (flags: string[], message: RegExp) =>
      expect(await look('export', address, tree, ...flags)).toMatchObject({
        ...{ code: 4, err: expect.stringMatching(message) },
      });
    await stops(borne.slice(2), /no form that is known: nyc:tablets\/nyc-0000000275\/Tablet/);
    await stops(borne.slice(0, 2), /\(1 state\): nyc:tablets\/nyc-0000000276\/Tablet State = "ReadOnly"/);
    expect((await readdir(folder)).filter((name) => name.startsWith('tree'))).toEqual([]);
    const said = (await out('export', address, tree, ...borne)).join('\n');
    expect(said).toMatch(/left out, in no form that is known: 1\n(.*\n)*.*lost, as accepted: state.*: 1\n/);
    expect(await readdir(join(tree, 'cells/nyc/tablets'))).not.toContain('nyc-0000000275');
    const asked = await look('export', address, `${tree}-json`, ...borne, '--output', 'json');
    expect(JSON.parse(asked.out)).toMatchObject({
      leftOut: { 'in no form that is known': 1 },
      transcoded: { nyc: { losses: [{ kind: 'state', value: 'ReadOnly' }] } },
    });
  });

  test('a follower says at its end what became of the records, as a copy does', async () => {
    const tablet = { Alias: { Cell: 'nyc', Uid: 276 }, Hostname: 'localhost', State: 'ReadOnly' };
    await (await plantZookeeper({ '/zk/nyc/vt/tablets/0000000276': tablet }, planted.config)).leave();
    const line = (name: string) => [
      ...[
        'follow',
        address,
        `memory://etcd:legacy-followed-${name}/global`,
        '--to-cell-root',
        '/legacy/{cell}',
      ],
      ...['--until-equal', '--skip-unreadable', 'all', '--accept-loss', 'state'],
      ...['--allow-locks', '--allow-empty-cells'],
    ];
    const said = await look(...line('text'));
    expect(said).toMatchObject({ code: 0 });
    expect(said.out).toMatch(
      /\nended: .*\n(.*\n)*.*lost, as accepted: state, .*: 1\n.*0276\/Tablet State = "ReadOnly"/,
    );
    expect(said.out).toMatch(/keyspaces\/user\/shards\/-80\/Shard: serves, served_types/);
    const events = (await look(...line('json'), '--output', 'json')).out.trim().split('\n');
    expect(JSON.parse(events.at(-1) ?? '')).toMatchObject({
      type: 'end',
      transcoded: { nyc: { losses: [{ kind: 'state', value: 'ReadOnly' }] } },
    });
  });

  test('a plan and a doctor say in a line that types were read by the numbers of 2015', async () => {
    const today = 'memory://etcd:legacy-looking/global';
    const borne = [
      '--from-type-numbers',
      'first',
      '--accept-loss',
      'state,tablet-type',
      '--target-version',
      '11',
    ];
    const line = [address, today, '--to-cell-root', '/legacy/{cell}', '--skip-unreadable', 'all', ...borne];
    const text = 'types of tablets were read by the numbers of 2.0.0-alpha1 to alpha4, since a flag says so';
    const said = await look('plan', ...line, '--allow-locks', '--allow-empty-cells');
    expect(said).toMatchObject({ code: 0 });
    expect(said.out.split('\n').filter((each) => each.includes(text))).toEqual(
      ['global', 'nyc', 'sfo'].map((scope) => expect.stringMatching(`^  ${scope}: .*, in \\d+ records?$`)),
    );
    const asked = await look('doctor', ...line, '--output', 'json');
    expect(JSON.parse(asked.out).findings).toContainEqual(
      expect.objectContaining({ id: 'transcoded', what: expect.stringContaining(`; in nyc, ${text}`) }),
    );
  });
});
