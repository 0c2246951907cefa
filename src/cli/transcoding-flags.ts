import { NEWEST, parseTarget } from '../graph/target.js';
import { LOSS_KINDS, type LossKind, type Tolerance } from '../topo/told.js';
import { type NameTest, pathTest } from '../topo/wildcards.js';
import type { ServingWish } from '../verify/carried.js';
import { type FlagSpec, textFlag } from './command.js';
import { type Flags, shown, text, texts, usage } from './flags.js';
import { splitList } from './place.js';

/** What may be lost, or left behind, where a store keeps records in a retired format. */
export const TOLERANCE_FLAGS: readonly FlagSpec[] = [
  textFlag(
    'accept-loss',
    `kinds of values that may be lost on the way from or into a retired format, separated by commas (repeatable): ${Object.keys(LOSS_KINDS).join(', ')}`,
    { spoken: true, many: true },
  ),
  textFlag(
    'skip-unreadable',
    'path of records in no known form that are left behind, with * and ** (repeatable), or all',
    { spoken: true, many: true },
  ),
];

/** What records become where one side is a store of the retired formats. */
export const TRANSCODING_FLAGS: readonly FlagSpec[] = [
  ...TOLERANCE_FLAGS,
  textFlag(
    'serving',
    'KEYSPACE/SHARD=yes or =no: whether a shard serves, where its records do not tell (repeatable)',
    { spoken: true, many: true },
  ),
  textFlag(
    'target-version',
    'version of Vitess that the records are for: from 12 on shards are told to serve (default: the newest)',
    { spoken: true },
  ),
];

/** {@link TRANSCODING_FLAGS}, of what may be lost and left behind. Usage. */
export function toleranceBy(flags: Flags): Tolerance {
  const kinds = texts(flags, 'accept-loss').flatMap((list) => splitList(list, '--accept-loss'));
  const patterns = texts(flags, 'skip-unreadable');
  return {
    acceptedLosses: new Set(kinds.map(lossKind)),
    skipsUnreadable: patterns.length === 0 ? undefined : anyOf(patterns.map(unreadableTest)),
  };
}

/** {@link TRANSCODING_FLAGS}, of the serving flags of shards. Usage. */
export function servingBy(flags: Flags): ServingWish {
  const version = text(flags, 'target-version');
  return {
    target: version === undefined ? NEWEST : parseTarget(version),
    serving: new Map(texts(flags, 'serving').map(servingOf)),
  };
}

/** `KEYSPACE/SHARD=yes` or `=no`. Usage. */
function servingOf(given: string): [shard: string, serving: boolean] {
  const [, shard, answer] = /^([^/=]+\/[^/=]+)=(yes|no)$/i.exec(given) ?? [];
  if (shard === undefined || answer === undefined)
    throw usage(
      `--serving ${shown(given)} is not KEYSPACE/SHARD=yes or =no`,
      'for example --serving commerce/0=yes',
    );
  return [shard, answer.toLowerCase() === 'yes'];
}

function lossKind(name: string): LossKind {
  const known = Object.keys(LOSS_KINDS) as LossKind[];
  const kind = known.find((each) => each === name);
  if (kind === undefined)
    throw usage(`--accept-loss ${shown(name)} is no kind of loss`, `there are ${known.join(', ')}`);
  return kind;
}

function unreadableTest(pattern: string): NameTest {
  return pattern === 'all' ? () => true : pathTest(pattern, { deep: true });
}

function anyOf(tests: readonly NameTest[]): NameTest {
  return (path) => tests.some((test) => test(path));
}
