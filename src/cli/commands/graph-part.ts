import type { GraphPart } from '../../graph/check.js';
import { NEWEST, parseTarget, type Target } from '../../graph/target.js';
import { type FlagSpec, textFlag, type Word } from '../command.js';
import { type Flags, text, usage } from '../flags.js';
import { ADDRESS_WORD, isGiven, listed, PLACE_FLAGS, splitList, spokenSwitch } from '../place.js';

/** Words of the commands about the serving graph. */
export const GRAPH_WORDS: readonly Word[] = [
  ADDRESS_WORD,
  { name: 'keyspace', describe: 'SrvKeyspace of these keyspaces alone: commerce,customer' },
];

/** Which version of Vitess the serving graph is made for. */
export const TARGET_FLAG = textFlag('target-version', 'rebuild as this version of Vitess does', {
  preset: titleOf(NEWEST),
});

/** Flags of the commands about the serving graph. */
export const GRAPH_FLAGS: readonly FlagSpec[] = [
  ...PLACE_FLAGS,
  textFlag('cells', 'these cells alone: zone1,zone2 (default: all)'),
  TARGET_FLAG,
  spokenSwitch('allow-partial', 'accept a snapshot keyspace whose shards do not cover everything'),
  spokenSwitch('keyspaces', 'SrvKeyspace alone'),
  spokenSwitch('vschema', 'SrvVSchema alone'),
];

/** The part of the serving graph that the flags name. `word`: keyspaces, with commas. */
export function partOf(flags: Flags, word: string | undefined, signal: AbortSignal): GraphPart {
  const [keyspaces, vschema] = [isGiven(flags, 'keyspaces'), isGiven(flags, 'vschema')];
  if (word !== undefined && vschema && !keyspaces)
    throw usage('SrvVSchema is made of all keyspaces', 'leave out --vschema, or the keyspaces');
  const onlySome = word !== undefined || keyspaces;
  const named = splitList(word, 'the list of keyspaces');
  return {
    target: parseTarget(text(flags, 'target-version') ?? ''),
    cells: listed(flags, 'cells'),
    allowPartial: isGiven(flags, 'allow-partial'),
    keyspaces: word !== undefined ? named : vschema && !keyspaces ? [] : undefined,
    vschema: vschema || !onlySome,
    signal,
  };
}

/** A version of Vitess as people write it. */
export function titleOf({ major, minor, patch }: Target): string {
  if (patch > 0) return `${major}.${minor}.${patch}`;
  return minor > 0 ? `${major}.${minor}` : String(major);
}
