import { planDeleteShard } from '../../../building/delete.js';
import { findGlobal, keyspacePath, replicationPath, shardOf } from '../../../building/records.js';
import { planCreateShard, planShardServing } from '../../../building/shard.js';
import { planRemoveShardCell } from '../../../cells/remove.js';
import { REMOVE_SERVING_ACTION } from '../../../cells/remove-serving.js';
import { cellStore } from '../../../topo/changes.js';
import type { CallOptions } from '../../../topo/connection.js';
import { ErrorCode, isTopologyError } from '../../../topo/errors.js';
import { parseBoolean } from '../../switches.js';
import { type Call, changeLocked, keyspaceShard, type VtctlCommand, word } from './command.js';
import { printRecord, recordAt } from './print.js';

/** Commands about shards. */
export const SHARD_COMMANDS: readonly VtctlCommand[] = [
  {
    name: 'CreateShard',
    params: '[-force] [-parent] <keyspace/shard>',
    describe: 'makes a shard; -parent: its keyspace, too',
    flags: { force: 'switch', parent: 'switch', 'include-parent': 'switch' },
    words: [1, 1],
    writes: true,
    run: createShard,
  },
  {
    name: 'DeleteShard',
    also: ['DeleteShards'],
    params: '[-recursive] [-even_if_serving] <keyspace/shard> ...',
    describe: 'deletes shards; -recursive: with the records of their tablets',
    flags: { recursive: 'switch', 'even-if-serving': 'switch' },
    words: [1, Number.POSITIVE_INFINITY],
    writes: true,
    run: deleteShards,
  },
  {
    name: 'RemoveShardCell',
    params: '[-force] [-recursive] <keyspace/shard> <cell>',
    describe: 'takes a shard from a cell',
    flags: { force: 'switch', recursive: 'switch' },
    words: [2, 2],
    writes: true,
    async run(call) {
      const [keyspace, shard] = keyspaceShard(word(call, 0));
      const flags = { force: call.args.isOn('force'), recursive: call.args.isOn('recursive') };
      const plan = (options: CallOptions) =>
        planRemoveShardCell(call.topology, keyspace, shard, word(call, 1), { ...options, ...flags });
      await changeLocked(call, [{ dir: `keyspaces/${keyspace}`, action: REMOVE_SERVING_ACTION }], plan);
    },
  },
  {
    name: 'GetShard',
    params: '<keyspace/shard>',
    describe: 'prints a Shard in JSON',
    words: [1, 1],
    async run(call) {
      const { bytes } = await shardOf(call.topology, ...keyspaceShard(word(call, 0)), call.options);
      printRecord(call, 'topodata.Shard', bytes);
    },
  },
  {
    name: 'GetShardReplication',
    params: '<cell> <keyspace/shard>',
    describe: 'prints a ShardReplication in JSON',
    words: [2, 2],
    async run(call) {
      const path = replicationPath(...keyspaceShard(word(call, 1)));
      const store = await cellStore(call.topology, word(call, 0), call.options);
      const message = 'topodata.ShardReplication';
      printRecord(call, message, await recordAt(call, path, message, store));
    },
  },
  {
    name: 'SetShardIsPrimaryServing',
    also: ['SetShardIsMasterServing'],
    params: '<keyspace/shard> <is_serving>',
    describe: 'says whether a shard serves; RebuildKeyspaceGraph makes it take effect',
    words: [2, 2],
    writes: true,
    async run(call) {
      const [keyspace, shard] = keyspaceShard(word(call, 0));
      const isServing = parseBoolean(word(call, 1), 'is_serving');
      const action = `SetShardIsPrimaryServing(${keyspace},${shard},${isServing})`;
      const plan = (options: CallOptions) =>
        planShardServing(call.topology, keyspace, shard, isServing, options);
      await changeLocked(call, [{ dir: `keyspaces/${keyspace}`, action }], plan);
    },
  },
];

async function createShard(call: Call): Promise<void> {
  const { topology, args, options } = call;
  const [keyspace, shard] = keyspaceShard(word(call, 0));
  const flags = { force: args.isOn('force'), parent: args.isOn('parent') || args.isOn('include-parent') };
  const plan = (held: CallOptions) => planCreateShard(topology, keyspace, shard, { ...held, ...flags });
  const path = keyspacePath(keyspace);
  const isThere = (await findGlobal(topology, path, 'topodata.Keyspace', options)) !== undefined;
  // A keyspace that is not there cannot be locked, and whoever makes it meanwhile makes the first of the changes fail.
  const locks = isThere ? [{ dir: `keyspaces/${keyspace}`, action: 'CreateShard' }] : [];
  await changeLocked(call, locks, plan);
}

async function deleteShards(call: Call): Promise<void> {
  const { topology, args, io } = call;
  const flags = { recursive: args.isOn('recursive'), evenIfServing: args.isOn('even-if-serving') };
  for (const [keyspace, shard] of args.words.map(keyspaceShard)) {
    const lock = { dir: `keyspaces/${keyspace}/shards/${shard}`, action: 'DeleteShard' };
    const plan = (options: CallOptions) =>
      planDeleteShard(topology, keyspace, shard, { ...options, ...flags });
    try {
      await changeLocked(call, [lock], plan);
    } catch (error) {
      if (!isTopologyError(error, ErrorCode.NoNode)) throw error;
      io.err(`there is no shard ${keyspace}/${shard}, skipping it`);
    }
  }
}
