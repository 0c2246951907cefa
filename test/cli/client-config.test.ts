import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { normaliseArgs } from '../../src/cli/args.js';
import { readConfig } from '../../src/cli/config/read.js';
import { layered } from '../../src/cli/layers.js';
import { sideFlags } from '../../src/cli/side-flags.js';
import { readSideFlags } from '../../src/cli/topologies.js';
import { formatAddress } from '../../src/topo/address.js';
import { captured, cli } from '../support/cli.js';
import { type ConfigFolder, configFolder } from './config-file.js';

const GLOBAL = 'zookeeper://localhost:1,localhost:2/zk/global/vt';
const CELLS = {
  nyc: 'zookeeper://localhost:3/zk/nyc/vt',
  sfo: 'zookeeper://localhost:2181/zk/sfo/vt',
};
const CONFIG = {
  global: 'localhost:1,localhost:2',
  nyc: 'localhost:3',
  'nyc-global': 'localhost:4',
  'nyc:_zkocc': 'localhost:5',
  sfo: 'localhost',
};

let folder: ConfigFolder;
let file: string;
beforeAll(async () => {
  folder = await configFolder();
  file = await folder.write('zk_client.json', JSON.stringify(CONFIG));
});
afterAll(() => folder.remove());

type Variables = Readonly<Record<string, string>>;

/** Where the source is, as its flags say. */
function place(flags: Readonly<Record<string, unknown>>, env: Variables = {}) {
  const read = readSideFlags(flags, captured(env).io, new AbortController().signal, 'from', 'read');
  const shown = (cells: typeof read.cells) =>
    Object.fromEntries([...cells].map(([name, address]) => [name, formatAddress(address)]));
  return {
    global: formatAddress(read.address),
    spelled: read.spelled,
    configured: read.configured && shown(read.configured),
    given: shown(read.cells),
  };
}

describe('a legacy zookeeper by its client configuration', () => {
  const wanted = () => ({
    global: GLOBAL,
    spelled: `zookeeper:${file}`,
    configured: CELLS,
    given: {},
  });

  test.each<[how: string, flags: () => Readonly<Record<string, unknown>>, env: () => Variables]>([
    ['its file as a word', () => ({ source: `zookeeper:${file}` }), () => ({})],
    ['its file as a flag', () => ({ from: `zookeeper:${file}` }), () => ({ ZK_CLIENT_CONFIG: '/nowhere' })],
    [
      'its file as the server',
      () => ({ 'from-implementation': 'zookeeper', 'from-server': file }),
      () => ({}),
    ],
    [
      'nothing but the implementation',
      () => ({ 'from-implementation': 'zookeeper' }),
      variable('ZK_CLIENT_CONFIG'),
    ],
    ['the variable of some tools', () => ({ from: 'zookeeper:' }), variable('ZK_CLIENT_CONF')],
  ])('%s', (_, flags, env) => {
    expect(place(flags(), env())).toEqual(wanted());
  });

  test('one-dash flags, the environment and a migration file come to the same', async () => {
    const specs = sideFlags('from');
    expect(normaliseArgs(['-from_implementation', 'zookeeper'])).toEqual([
      '--from-implementation',
      'zookeeper',
    ]);
    const env = { TOPO2TOPO_FROM_IMPLEMENTATION: 'zookeeper', ZK_CLIENT_CONFIG: file };
    expect(place((await layered({}, specs, env)).flags, env)).toEqual(wanted());
    const config = await folder.write(
      'topo2topo.yaml',
      'from: zookeeper:zk_client.json\nto: zk2://localhost:1/v\n',
    );
    expect(place((await layered({ config }, specs, {})).flags)).toEqual(wanted());
    const parts = await folder.write(
      'parts.yaml',
      'from:\n  implementation: zookeeper\n  server: ./zk_client.json\n',
    );
    expect(place((await layered({ config: parts }, specs, {})).flags)).toEqual(wanted());
    expect(readConfig(config, {}).from?.address).toEqual({ implementation: 'zookeeper', file });
    expect((await cli(['config', 'check', config])).out).toContain(`zookeeper:${file}`);
  });

  test('a cell that is given is where it is given', () => {
    const flags = { from: `zookeeper:${file}`, 'from-cell': ['nyc=localhost:9,/zk/nyc/vt'] };
    expect(place(flags)).toEqual({ ...wanted(), given: { nyc: 'zookeeper://localhost:9/zk/nyc/vt' } });
  });

  test('without an entry global that of the local cell serves', async () => {
    const own = await folder.write(
      'own.json',
      JSON.stringify({ 'nyc-global': 'localhost:7', nyc: 'localhost:8' }),
    );
    expect(place({ from: `zookeeper:${own}` }, { ZK_CLIENT_LOCAL_CELL: 'nyc' }).global).toBe(
      'zookeeper://localhost:7/zk/global/vt',
    );
  });

  test('servers and roots that Vitess gave no choice of do without a file', () => {
    const flags = (implementation: string) => ({
      'from-implementation': implementation,
      'from-server': 'localhost:1',
    });
    expect(place(flags('zookeeper'))).toMatchObject({
      global: 'zookeeper://localhost:1/zk/global/vt',
      configured: undefined,
    });
    expect(place(flags('etcd')).global).toBe('etcd://localhost:1/vt');
    expect(place({ from: 'etcd://localhost' }).global).toBe('etcd://localhost:2379/vt');
  });
});

describe('a client configuration that cannot be used is refused before anything is opened', () => {
  const refused = async (args: readonly string[], env: Variables, message: RegExp, hint: RegExp) => {
    const { code, out, err } = await cli(args, env);
    const [first = '', second = ''] = err.split('\n');
    expect(first).toMatch(message);
    expect(second).toMatch(hint);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  };

  test.each<[what: string, content: string, message: RegExp, hint: RegExp]>([
    [
      'no JSON',
      'nyc: localhost',
      /broken\.json is no client configuration.*not JSON/,
      /\{"global": "host:2181"/,
    ],
    ['no global store', '{"nyc": "localhost:1"}', /broken\.json has no entry global/, /ZK_CLIENT_LOCAL_CELL/],
    [
      'no server',
      '{"global": "localhost:1", "nyc": "localhost:port"}',
      /entry of cell nyc .*host:port/,
      /host:port/,
    ],
    ['no server', '{"global": "local host"}', /entry of the global store .*host:port/, /host:port/],
    [
      'no name of a cell',
      '{"global": "localhost:1", "a/b": "localhost:2"}',
      /"a\/b" is no name of a cell/,
      /letters/,
    ],
  ])('%s: %s', async (_, content, message, hint) => {
    const broken = await folder.write('broken.json', content);
    const to = 'memory://etcd:unused/vitess/global';
    for (const args of [
      ['copy', `zookeeper:${broken}`, to],
      ['ls', `zookeeper:${broken}`],
      ['graph', 'check', `zookeeper:${broken}`],
      ['doctor', '--from', `zookeeper:${broken}`],
    ])
      await refused(args, {}, message, hint);
    await refused(
      ['-from_implementation', 'zookeeper', '--to', to],
      { ZK_CLIENT_CONFIG: broken },
      message,
      hint,
    );
  });

  test('a file that is not there', async () => {
    const missing = join(file, '..', 'missing.json');
    await refused(
      ['ls', `zookeeper:${missing}`],
      {},
      /that the address names.*missing\.json cannot be read: ENOENT/,
      /JSON/,
    );
    await refused(['ls', 'zookeeper:'], { ZK_CLIENT_CONFIG: missing }, /that ZK_CLIENT_CONFIG names/, /JSON/);
  });

  test('a root beside it, or half a triple', async () => {
    const half = ['ls', '-topo_implementation', 'zookeeper', '-topo_global_root', '/zk/global/vt'];
    await refused(half, { ZK_CLIENT_CONFIG: file }, /the root .* without its servers/, /leave the root out/);
    await refused(
      ['ls', '-topo_implementation', 'zk2'],
      {},
      /the topology is not given/,
      /--topo-global-root/,
    );
  });
});

function variable(name: string): () => Variables {
  return () => ({ [name]: file });
}
