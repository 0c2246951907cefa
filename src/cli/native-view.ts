import { type Command, type CommandGroup, type FlagSpec, switchFlags } from './command.js';
import { type Flags, usage } from './flags.js';
import { LOOK_FLAGS } from './looking.js';
import { nativeCat, nativeStat } from './native.js';
import { nativeFind, nativeLs, nativeTree } from './native-list.js';

/** How a command shows a store as it is. */
interface View {
  readonly run: Command['run'];
  /** Flags of its own that it heeds then, besides those of every command about one topology. */
  readonly takes: readonly string[];
  readonly example: readonly [line: string, does: string];
}

const ADDRESS = 'zk2://zk1:2181/vitess/global';

/** By the first word of the command. */
const VIEWS: Readonly<Partial<Record<string, View>>> = {
  cat: {
    run: nativeCat,
    takes: ['raw'],
    example: [`$0 cat ${ADDRESS} --native /zookeeper/config`, 'the bytes at a path of the store itself'],
  },
  find: {
    run: nativeFind,
    takes: ['name'],
    example: [
      `$0 find ${ADDRESS} --native / --name 'lock*'`,
      'in the whole store, also outside the topology',
    ],
  },
  ls: {
    run: nativeLs,
    takes: ['long'],
    example: [`$0 ls ${ADDRESS} --native -l /vitess`, 'with all that the store says of each'],
  },
  stat: {
    run: nativeStat,
    takes: [],
    example: [`$0 stat ${ADDRESS} --native`, 'zxids, times, owner, ACL; in etcd revisions and lease'],
  },
  tree: {
    run: nativeTree,
    takes: ['depth'],
    example: [`$0 tree ${ADDRESS} --native /`, 'everything that the servers hold'],
  },
};

/** Gives a command that looks the flag `--native`, and what it does then; other commands stay as they are. */
export function withNativeView(command: Command | CommandGroup): Command | CommandGroup {
  const view = VIEWS[command.command.split(' ')[0] ?? ''];
  if (view === undefined || 'commands' in command) return command;
  const { flags = [], examples = [], run } = command;
  const others = flags.filter(({ name }) => !view.takes.includes(name) && !OF_PLACES.has(name));
  return {
    ...command,
    flags: [...flags, ...switchFlags('native')],
    examples: [...examples, view.example],
    run: async (given, io, signal) => {
      if (given['native'] !== true) return run(given, io, signal);
      checkAlone(given, others);
      return view.run(given, io, signal);
    },
  };
}

const OF_PLACES: ReadonlySet<string> = new Set(LOOK_FLAGS.map(({ name }) => name));

/** Usage for a flag that is about records. */
function checkAlone(given: Flags, others: readonly FlagSpec[]): void {
  const isGiven = (value: unknown) => value !== undefined && value !== false;
  const other = others.find(({ name, preset }) => isGiven(given[name]) && given[name] !== preset);
  if (other !== undefined)
    throw usage(`--native and --${other.name} exclude one another`, `--${other.name} is about records`);
}
