import type { Argv } from 'yargs';
import type { Kind } from '../../topo/kinds.js';
import { type Flags, usage } from '../addresses.js';
import type { Exit } from '../exit.js';
import type { Io } from '../io.js';
import { commonFlags, pairFlags } from '../topologies.js';
import { copyFlags, runCopy } from './copy.js';
import { runVerify } from './verify.js';

/** What each of Vitess's own flags copies (go/cmd/topo2topo, go/vt/topo/helpers). */
const DO_FLAGS: Readonly<Record<string, readonly Kind[]>> = {
  'do-keyspaces': ['Keyspace', 'VSchema'],
  'do-shards': ['Shard'],
  'do-shard-replications': ['ShardReplication'],
  'do-tablets': ['Tablet'],
  'do-routing-rules': ['RoutingRules'],
};

/** The command line of Vitess's topo2topo, which has no subcommand. */
export const vitessCommand = {
  command: '$0',
  describe:
    'Vitess’s own topo2topo command line: copy, or with --compare verify; without a do- flag: everything',
  builder: (yargs: Argv) => {
    let flags = copyFlags(commonFlags(pairFlags(yargs)));
    for (const [name, kinds] of Object.entries(DO_FLAGS)) {
      flags = flags.option(name, {
        type: 'boolean',
        default: false,
        describe: `narrow to ${kinds.join(' and ')}`,
      });
    }
    return flags.option('compare', {
      type: 'boolean',
      default: false,
      describe: 'compare instead of copying',
    });
  },
  run(flags: Flags, io: Io, signal: AbortSignal): Promise<Exit> {
    const words = flags['_'];
    if (Array.isArray(words) && words.length > 0) throw usage(`unknown command ${String(words[0])}`);
    const kinds = kindsOf(flags);
    return flags['compare'] === true
      ? runVerify(flags, io, signal, kinds)
      : runCopy(flags, io, signal, kinds);
  },
};

function kindsOf(flags: Flags): ReadonlySet<Kind> | undefined {
  const asked = Object.entries(DO_FLAGS).filter(([name]) => flags[name] === true);
  return asked.length === 0 ? undefined : new Set(asked.flatMap(([, kinds]) => kinds));
}
