import type { Kind } from '../../topo/kinds.js';
import { type Command, switchFlags } from '../command.js';
import { COPY_FLAGS } from '../copy-flags.js';
import type { Exit } from '../exit.js';
import { type Flags, shown, usage } from '../flags.js';
import { IGNORED_FLAGS } from '../ignored.js';
import type { Io } from '../io.js';
import { COPY_EXAMPLES, runCopy } from './copy.js';
import { runVerify } from './verify.js';

/** What each of Vitess's own flags copies (go/cmd/topo2topo, go/vt/topo/helpers). */
const DO_FLAGS = {
  'do-keyspaces': ['Keyspace', 'VSchema'],
  'do-shards': ['Shard'],
  'do-shard-replications': ['ShardReplication'],
  'do-tablets': ['Tablet'],
  'do-routing-rules': ['RoutingRules'],
} as const satisfies Readonly<Record<string, readonly Kind[]>>;

const COPY_ONLY = ['dry-run', 'verify', 'allow-extra', 'allow-older'] as const;

/** The command line of Vitess's topo2topo, which has no subcommand. */
export const vitessCommand: Command = {
  command: '$0',
  describe:
    'Vitess’s own topo2topo command line: copy, or with --compare verify; without a do- flag: everything',
  flags: [
    ...COPY_FLAGS,
    ...switchFlags(
      'do-keyspaces',
      'do-shards',
      'do-shard-replications',
      'do-tablets',
      'do-routing-rules',
      'compare',
    ),
    ...IGNORED_FLAGS,
  ],
  examples: COPY_EXAMPLES,
  async run(flags: Flags, io: Io, signal: AbortSignal): Promise<Exit> {
    const words = flags['_'];
    if (Array.isArray(words) && words.length > 0) throw usage(`unknown command ${shown(words[0])}`);
    const kinds = kindsOf(flags);
    if (flags['compare'] !== true) return runCopy(flags, io, signal, kinds);
    const given = COPY_ONLY.find((name) => flags[name] === true);
    if (given !== undefined) throw usage(`--compare and --${given} exclude one another`);
    return runVerify(flags, io, signal, kinds);
  },
};

function kindsOf(flags: Flags): ReadonlySet<Kind> | undefined {
  const asked = Object.entries(DO_FLAGS).filter(([name]) => flags[name] === true);
  return asked.length === 0 ? undefined : new Set(asked.flatMap(([, kinds]) => kinds));
}
