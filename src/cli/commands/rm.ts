import { planRemove } from '../../editing/remove.js';
import { kindOf } from '../../editing/target.js';
import type { EditPlan } from '../../editing/write.js';
import { existing } from '../../looking/matches.js';
import type { Connection } from '../../topo/connection.js';
import { GLOBAL } from '../../topo/topology.js';
import { hasWildcard } from '../../topo/wildcards.js';
import { accessOf, carryOut } from '../changes.js';
import type { Command } from '../command.js';
import { type Flags, looksLikeAddress, shown, text, texts, usage } from '../flags.js';
import { count, type Io } from '../io.js';
import { byReason, listLines } from '../lists.js';
import { placeWord, storeOf } from '../looking.js';
import { isGiven, spokenSwitch } from '../place.js';
import { tripleFlags } from '../side-flags.js';
import { withTopology } from '../topologies.js';
import { TARGET_WORDS, WRITING_FLAGS } from '../writing.js';

const ADDRESS = 'consul://c1:8500/vitess/global';

export const rmCommand: Command = {
  command: 'rm [address] [paths..]',
  describe: 'delete records; only with --yes',
  words: [
    ...TARGET_WORDS.slice(0, 1),
    { name: 'paths', describe: 'records, or with -r directories; * ? [ stand for names' },
  ],
  flags: [
    ...WRITING_FLAGS,
    { ...spokenSwitch('recursive', 'every record below a directory, too'), alias: 'r' },
  ],
  examples: [
    [`$0 rm ${ADDRESS} metadata/owner --yes`, 'one record'],
    [`$0 rm ${ADDRESS} keyspaces/old -r --dry-run`, 'what would go, and what a running cluster makes of it'],
    [`$0 rm ${ADDRESS} tablets/zone1-0000000100/Tablet --cell zone1 --yes`, 'in a cell’s store'],
    [`$0 rm ${ADDRESS} 'zone1:keyspaces/old*' -r`, 'shows everything below what the pattern means'],
  ],
  run: (flags, io, signal) => {
    const { address, scope, paths } = wordsOf(flags);
    const recursive = isGiven(flags, 'recursive');
    const access = accessOf(flags, true);
    return withTopology({ ...flags, address }, io, signal, access, async (topology) => {
      const store = await storeOf(topology, scope, signal);
      const meant = await Promise.all(paths.map((path) => meantBy(store, path, signal)));
      const plan = await planRemove({ topology, store, scope }, meant.flat(), { signal, recursive });
      const summary = recursive ? { summary: summaryOf(io, plan) } : {};
      return carryOut(flags, io, signal, { command: 'rm', topology, ...plan, ...summary });
    });
  },
};

/** What is to go, as the command line says it. */
interface Asked {
  readonly address: string | undefined;
  readonly scope: string;
  /** Paths and patterns. */
  readonly paths: readonly string[];
}

/** Where the address is given by flags, all words are paths. */
function wordsOf(flags: Flags): Asked {
  const { implementation } = tripleFlags('');
  const first = text(flags, 'address');
  const more = texts(flags, 'paths');
  const byFlags = flags[implementation] !== undefined;
  if (byFlags && first !== undefined && looksLikeAddress(first))
    throw usage(`give ${shown(first)} or --${implementation} …, not both`);
  const words = byFlags && first !== undefined ? [first, ...more] : more;
  const extra = words.find(looksLikeAddress);
  if (extra !== undefined)
    throw usage(`${shown(extra)} is no path`, 'give the address once, as the first word');
  if (words.length === 0 || words.includes('')) throw usage('no path is given');
  const places = words.map((word) => placeWord(flags, word));
  const [scope = GLOBAL, ...others] = new Set(places.map((place) => place.scope ?? GLOBAL));
  if (others.length > 0)
    throw usage(`paths are in ${[scope, ...others].join(' and ')}`, 'delete what is in one store at a time');
  return { address: byFlags ? undefined : first, scope, paths: places.map(({ path }) => path) };
}

/** The paths that a word means. NoNode for a pattern that means nothing. */
async function meantBy(store: Connection, path: string, signal: AbortSignal): Promise<readonly string[]> {
  return hasWildcard(path) ? existing(store, path, { signal }) : [path];
}

/** How many records of each kind go, and the first of them. */
function summaryOf(io: Io, { changes }: EditPlan): string {
  const kinds = changes.map(({ scope, path }) => ({ scope, path, reason: kindOf(scope, path).row.kind }));
  return [
    `${io.colors.red('delete')} ${count(changes.length, 'record')}`,
    ...[...byReason(kinds)].flatMap(([kind, paths]) => listLines(io, kind, paths)),
  ].join('\n');
}
