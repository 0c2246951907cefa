import { findGlobal, keyspacePath, shardPath } from '../../../building/records.js';
import { planInitTablet, type TabletSpec } from '../../../building/tablet.js';
import { systemClock } from '../../../topo/clock.js';
import type { CallOptions } from '../../../topo/connection.js';
import { parseTabletAlias } from '../../../topo/names.js';
import { shown, usage } from '../../flags.js';
import { type Call, changeLocked, type VtctlCommand, word } from './command.js';

/** The command that makes a tablet's records. */
export const INIT_TABLET: VtctlCommand = {
  name: 'InitTablet',
  params:
    '[-allow_update] [-allow_different_shard] [-allow_master_override] [-parent] [-db_name_override <db name>] [-hostname <hostname>] [-mysql_host <hostname>] [-mysql_port <port>] [-port <port>] [-grpc_port <port>] [-tags tag1:value1,tag2:value2] -keyspace <keyspace> -shard <shard> <tablet alias> <tablet type>',
  describe: 'makes the records of a tablet; -parent: its keyspace and shard, too',
  flags: {
    'allow-update': 'switch',
    'allow-different-shard': 'switch',
    'allow-master-override': 'switch',
    'allow-primary-override': 'switch',
    parent: 'switch',
    'db-name-override': 'text',
    hostname: 'text',
    'mysql-host': 'text',
    'mysql-port': 'number',
    port: 'number',
    'grpc-port': 'number',
    tags: 'text',
    keyspace: 'text',
    shard: 'text',
  },
  words: [2, 2],
  writes: true,
  run: initTablet,
};

const TYPES = [
  'UNKNOWN',
  'PRIMARY',
  'REPLICA',
  'RDONLY',
  'SPARE',
  'EXPERIMENTAL',
  'BACKUP',
  'RESTORE',
  'DRAINED',
] as const;
const FORMER_NAMES: Readonly<Record<string, string>> = {
  MASTER: 'PRIMARY',
  BATCH: 'RDONLY',
  WORKER: 'DRAINED',
};

/** A tablet type by any of its names, in any case, as its present name. Usage. */
export function tabletType(text: string): string {
  const name = FORMER_NAMES[text.toUpperCase()] ?? text.toUpperCase();
  const known: readonly string[] = TYPES;
  if (known.includes(name)) return name;
  throw usage(
    `tablet type ${shown(text)} is unknown`,
    `there are ${TYPES.map((each) => each.toLowerCase()).join(', ')}`,
  );
}

async function initTablet(call: Call): Promise<void> {
  const { topology, args, options } = call;
  const spec = tabletSpec(call);
  const { keyspace, shard } = spec;
  const flags = {
    allowUpdate: args.isOn('allow-update'),
    allowDifferentShard: args.isOn('allow-different-shard'),
    allowPrimaryOverride: args.isOn('allow-master-override') || args.isOn('allow-primary-override'),
    parent: args.isOn('parent'),
    now: systemClock.now(),
  };
  const plan = (held: CallOptions) => planInitTablet(topology, spec, { ...held, ...flags });
  const isThere = async (path: string, message: string) =>
    (await findGlobal(topology, path, message, options)) !== undefined;
  // Vitess locks nothing for a tablet, and the keyspace for a shard that has to be made.
  const makesShard =
    (await isThere(keyspacePath(keyspace), 'topodata.Keyspace')) &&
    !(await isThere(shardPath(keyspace, shard), 'topodata.Shard'));
  const locks = makesShard ? [{ dir: `keyspaces/${keyspace}`, action: 'CreateShard' }] : [];
  await changeLocked(call, locks, plan);
}

function tabletSpec(call: Call): TabletSpec {
  const { args } = call;
  const [keyspace, shard] = ['keyspace', 'shard'].map((name) => args.text(name));
  if (!keyspace || !shard) throw usage(`-${keyspace ? 'shard' : 'keyspace'} is not given`);
  const ports: (readonly [string, number])[] = [
    ['vt', port(call, 'port')],
    ['grpc', port(call, 'grpc-port')],
  ];
  return {
    alias: parseTabletAlias(word(call, 0)),
    type: tabletType(word(call, 1)),
    keyspace,
    shard,
    hostname: args.text('hostname'),
    ports: Object.fromEntries(ports.filter(([, number]) => number !== 0)),
    mysqlHostname: args.text('mysql-host'),
    mysqlPort: port(call, 'mysql-port'),
    dbNameOverride: args.text('db-name-override'),
    tags: tagsOf(args.list('tags')),
  };
}

function port({ args }: Call, name: string): number {
  const number = args.number(name);
  if (number > 65_535) throw usage(`-${name} ${number} is no port`, 'ports end at 65535');
  return number;
}

function tagsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, value] = /^([^:]+):(.*)$/s.exec(pair) ?? [];
      if (name === undefined || value === undefined)
        throw usage(`-tags ${shown(pair)} is not NAME:VALUE`, 'for example -tags role:cache,rack:7');
      return [name, value];
    }),
  );
}
