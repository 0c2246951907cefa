import { planDeleteKeyspace } from '../../../building/delete.js';
import { type KeyspaceSpec, planCreateKeyspace } from '../../../building/keyspace.js';
import { keyspaceOf } from '../../../building/records.js';
import { planRemoveKeyspaceCell } from '../../../cells/remove.js';
import { keyspacesOf, shardsOf } from '../../../graph/rebuild.js';
import { systemClock } from '../../../topo/clock.js';
import { usage } from '../../flags.js';
import { type Call, change, changeLocked, type VtctlCommand, word } from './command.js';
import { printNames, printRecord, printRecords } from './print.js';

/** Commands about keyspaces. */
export const KEYSPACE_COMMANDS: readonly VtctlCommand[] = [
  {
    name: 'CreateKeyspace',
    params:
      '[-force] [-allow_empty_vschema] [-keyspace_type <type>] [-base_keyspace <keyspace>] [-snapshot_time <time>] [-durability-policy <policy>] [-sidecar-db-name <name>] <keyspace>',
    describe: 'makes a keyspace, and its VSchema; rebuilds SrvVSchema',
    flags: {
      force: 'switch',
      'allow-empty-vschema': 'switch',
      'keyspace-type': 'text',
      type: 'text',
      'base-keyspace': 'text',
      'snapshot-time': 'text',
      'snapshot-timestamp': 'text',
      'durability-policy': 'text',
      'sidecar-db-name': 'text',
    },
    words: [1, 1],
    writes: true,
    async run(call) {
      const { topology, args, options } = call;
      const flags = { force: args.isOn('force'), allowEmptyVSchema: args.isOn('allow-empty-vschema') };
      await change(call, await planCreateKeyspace(topology, keyspaceSpec(call), { ...options, ...flags }));
    },
  },
  {
    name: 'DeleteKeyspace',
    params: '[-recursive] <keyspace>',
    describe: 'deletes a keyspace; -recursive: with its shards and the records of their tablets',
    flags: { recursive: 'switch' },
    words: [1, 1],
    writes: true,
    run: deleteKeyspace,
  },
  {
    name: 'RemoveKeyspaceCell',
    params: '[-force] [-recursive] <keyspace> <cell>',
    describe: 'takes a keyspace from a cell',
    flags: { force: 'switch', recursive: 'switch' },
    words: [2, 2],
    writes: true,
    async run(call) {
      const [keyspace, cell] = [word(call, 0), word(call, 1)];
      const flags = { force: call.args.isOn('force'), recursive: call.args.isOn('recursive') };
      await change(
        call,
        await planRemoveKeyspaceCell(call.topology, keyspace, cell, { ...call.options, ...flags }),
      );
    },
  },
  {
    name: 'GetKeyspace',
    params: '<keyspace>',
    describe: 'prints a Keyspace in JSON',
    words: [1, 1],
    async run(call) {
      const { bytes } = await keyspaceOf(call.topology, word(call, 0), call.options);
      printRecord(call, 'topodata.Keyspace', bytes);
    },
  },
  {
    name: 'GetKeyspaces',
    params: '',
    describe: 'lists the keyspaces',
    words: [0, 0],
    run: async (call) => printNames(call, await keyspacesOf(call.topology, call.options)),
  },
  {
    name: 'FindAllShardsInKeyspace',
    params: '<keyspace>',
    describe: 'prints every Shard of a keyspace in JSON',
    words: [1, 1],
    async run(call) {
      await keyspaceOf(call.topology, word(call, 0), call.options);
      const shards = await shardsOf(call.topology.global, word(call, 0), call.options);
      printRecords(call, 'topodata.Shard', shards);
    },
  },
];

function keyspaceSpec(call: Call): KeyspaceSpec {
  const { args } = call;
  const common = { name: word(call, 0), sidecarDbName: args.text('sidecar-db-name') };
  const policy = args.text('durability-policy');
  const type = (args.text('keyspace-type') || args.text('type') || 'NORMAL').toUpperCase();
  const base = args.text('base-keyspace');
  const time = args.text('snapshot-time') || args.text('snapshot-timestamp');
  if (type === 'NORMAL') {
    const given = ['base-keyspace', 'snapshot-time', 'snapshot-timestamp'].find((name) => args.has(name));
    if (given !== undefined) throw usage(`-${given} is for a snapshot`, 'add -keyspace_type SNAPSHOT');
    return { ...common, durabilityPolicy: policy };
  }
  if (type !== 'SNAPSHOT') throw usage(`keyspace type ${type} is unknown`, 'there are NORMAL and SNAPSHOT');
  if (!['', 'none'].includes(policy))
    throw usage('a snapshot has no durability policy', 'leave out -durability-policy');
  if (base === '') throw usage('base_keyspace must be specified while creating a snapshot keyspace');
  if (time === '') throw usage('snapshot_time must be specified when creating a snapshot keyspace');
  return { ...common, durabilityPolicy: policy, snapshot: { baseKeyspace: base, timeMs: pastTime(time) } };
}

/** RFC 3339, as milliseconds since the epoch. Usage for another form, and for a time to come. */
function pastTime(text: string): number {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const ms = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw usage(`${JSON.stringify(text)} is no time`, 'write it as 2006-01-02T15:04:05+00:00');
  if (ms > systemClock.now()) throw usage('snapshot_time can not be more than current time');
  return ms;
}

async function deleteKeyspace(call: Call): Promise<void> {
  const { topology, args, options, io } = call;
  const keyspace = word(call, 0);
  const recursive = args.isOn('recursive');
  await planDeleteKeyspace(topology, keyspace, { ...options, recursive });
  const shards = await shardsOf(topology.global, keyspace, options);
  const locks = [
    { dir: `keyspaces/${keyspace}`, action: 'DeleteKeyspace' },
    ...shards.map(({ name }) => ({ dir: `keyspaces/${keyspace}/shards/${name}`, action: 'DeleteShard' })),
  ];
  await changeLocked(call, locks, (held) => planDeleteKeyspace(topology, keyspace, { ...held, recursive }));
  io.err(`SrvVSchema names ${keyspace} until RebuildVSchemaGraph, as after Vitess’s DeleteKeyspace`);
}
