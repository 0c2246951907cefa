import type { GraphPart } from '../../graph/check.js';
import { NEWEST, parseTarget, type Target, usualTarget } from '../../graph/target.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import type { Topology } from '../../topo/topology.js';
import { type FlagSpec, textFlag, type Word } from '../command.js';
import { type Flags, text, usage } from '../flags.js';
import { ADDRESS_WORD, isGiven, listed, PLACE_FLAGS, splitList, spokenSwitch } from '../place.js';

/** Words of the commands about the serving graph. */
export const GRAPH_WORDS: readonly Word[] = [
  ADDRESS_WORD,
  { name: 'keyspace', describe: 'SrvKeyspace of these keyspaces alone: commerce,customer' },
];

/** Which version of Vitess the serving graph is made for. */
export const TARGET_FLAG = textFlag(
  'target-version',
  `rebuild as this version of Vitess does (default: ${titleOf(NEWEST)}, or 2.1 for a retired format)`,
);

/** The version that --target-version names, or else the usual one of a topology. Usage. */
export function targetOf(flags: Flags, { global }: Pick<Topology, 'global'>): Target {
  const given = text(flags, TARGET_FLAG.name);
  return given === undefined ? usualTarget(global) : parseTarget(given);
}

/** Flags of the commands about the serving graph. */
export const GRAPH_FLAGS: readonly FlagSpec[] = [
  ...PLACE_FLAGS,
  textFlag('cells', 'these cells alone: zone1,zone2 (default: all)'),
  TARGET_FLAG,
  spokenSwitch('allow-partial', 'accept a snapshot keyspace whose shards do not cover everything'),
  spokenSwitch('keyspaces', 'SrvKeyspace alone'),
  spokenSwitch('vschema', 'SrvVSchema alone'),
  spokenSwitch('shards', 'SrvShard and EndPoints alone, which the retired formats have'),
];

/** The part of the serving graph that the flags name. `word`: keyspaces, with commas. */
export function partOf(
  flags: Flags,
  word: string | undefined,
  topology: Topology,
  signal: AbortSignal,
): GraphPart {
  const [keyspaces, vschema, shards] = [
    isGiven(flags, 'keyspaces'),
    isGiven(flags, 'vschema'),
    isGiven(flags, 'shards'),
  ];
  if (word !== undefined && vschema && !keyspaces && !shards)
    throw usage('SrvVSchema is made of all keyspaces', 'leave out --vschema, or the keyspaces');
  const isAll = !keyspaces && !vschema && !shards;
  const named = word === undefined ? undefined : splitList(word, 'the list of keyspaces');
  const onShards = isAll ? 'where they are' : shards;
  return {
    target: targetOf(flags, topology),
    cells: listed(flags, 'cells'),
    allowPartial: isGiven(flags, 'allow-partial'),
    keyspaces: isAll || keyspaces ? named : [],
    vschema: isAll ? word === undefined : vschema,
    shards: onShards,
    resolve: isGiven(flags, 'resolve') || onShards,
    shardKeyspaces: named,
    signal,
  };
}

/** Refuses a topology without cells (NoNode): a wrong address, and a file that does not exist, look like one. */
export async function checkServed(topology: Topology, signal: AbortSignal): Promise<void> {
  if ((await topology.cells({ signal })).length > 0) return;
  throw new TopologyError(ErrorCode.NoNode, 'there are no cells, so nothing is served', {
    store: topology.global.store,
    hint: 'check the server and the root',
  });
}

/** A version of Vitess as people write it. */
export function titleOf({ major, minor, patch }: Target): string {
  if (patch > 0) return `${major}.${minor}.${patch}`;
  return minor > 0 ? `${major}.${minor}` : String(major);
}
