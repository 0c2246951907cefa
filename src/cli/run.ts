import yargs, { type Argv } from 'yargs';
import { normaliseArgs } from './args.js';
import { type Command, type CommandGroup, declare } from './command.js';
import { backupCommand } from './commands/backup.js';
import { catCommand } from './commands/cat.js';
import { cellCommands } from './commands/cell.js';
import { certificateCommands } from './commands/certificate.js';
import { checkCommands } from './commands/check.js';
import { configCommands } from './commands/config.js';
import { copyCommand } from './commands/copy.js';
import { demoCommand } from './commands/demo.js';
import { doctorCommand } from './commands/doctor.js';
import { editCommand } from './commands/edit.js';
import { exportCommand } from './commands/export.js';
import { findCommand } from './commands/find.js';
import { followCommand } from './commands/follow.js';
import { graphCommands } from './commands/graph.js';
import { grepCommand } from './commands/grep.js';
import { historyCommand } from './commands/history.js';
import { importCommand } from './commands/import.js';
import { lintCommand } from './commands/lint.js';
import { locksCommands } from './commands/locks.js';
import { lsCommand } from './commands/ls.js';
import { planCommand } from './commands/plan.js';
import { putCommand } from './commands/put.js';
import { restoreCommand } from './commands/restore.js';
import { rmCommand } from './commands/rm.js';
import { sealCommand } from './commands/seal.js';
import { statCommand } from './commands/stat.js';
import { treeCommand } from './commands/tree.js';
import { undoCommand } from './commands/undo.js';
import { unsealCommand } from './commands/unseal.js';
import { verifyCommand } from './commands/verify.js';
import { vitessCommand } from './commands/vitess.js';
import { vtctlCommand } from './commands/vtctl.js';
import { zkCommandLine } from './commands/zk.js';
import { Exit, exitCodeOf } from './exit.js';
import { causeOf, errorJson, errorText } from './failure.js';
import { checkFlags, type Flags, shown, usage } from './flags.js';
import type { Io } from './io.js';
import { layered } from './layers.js';
import { withNativeView } from './native-view.js';
import { markProgram } from './program-line.js';
import { otherSides } from './side-flags.js';
import { version } from './version.js';

/** All commands of the tool. */
export const COMMANDS: readonly (Command | CommandGroup)[] = [
  backupCommand,
  catCommand,
  cellCommands,
  certificateCommands,
  checkCommands,
  configCommands,
  copyCommand,
  demoCommand,
  doctorCommand,
  findCommand,
  editCommand,
  exportCommand,
  followCommand,
  graphCommands,
  grepCommand,
  historyCommand,
  importCommand,
  lintCommand,
  locksCommands,
  lsCommand,
  statCommand,
  putCommand,
  restoreCommand,
  rmCommand,
  sealCommand,
  planCommand,
  treeCommand,
  undoCommand,
  unsealCommand,
  verifyCommand,
  vitessCommand,
  vtctlCommand,
  zkCommandLine,
].map(withNativeView);

/** A switch is told from a flag that takes text before it is known which command is meant: no name is both. */
const SWITCHES_OF_ALL: ReadonlySet<string> = new Set([
  ...['help', 'version'],
  ...COMMANDS.flatMap((each) => ('commands' in each ? each.commands : [each]))
    .flatMap(({ flags = [] }) => flags)
    .filter(({ kind }) => kind === 'switch')
    .flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias])),
]);

/** Runs the tool with the arguments after its name. Never throws; answers with the exit code. */
export async function run(given: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  const args = markProgram(given);
  try {
    return await dispatch(args, io, signal);
  } catch (error) {
    if (wantsJson(args, io)) io.out(errorJson(error));
    io.err(errorText(io, error));
    return exitCodeOf(causeOf(error));
  }
}

async function dispatch(args: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  const chosen = await choose(args, io);
  if (!(chosen instanceof Chosen)) return chosen;
  const { command, given, words } = chosen;
  checkFlags(given, words);
  const program = given['--'];
  if (command.startsProgram !== true && Array.isArray(program) && program.length > 0)
    throw usage(`unexpected word ${shown(program[0])}`);
  command.check?.(given);
  const { flags, env } = await layered(given, command.flags ?? [], io.env);
  return command.run(flags, { ...io, env }, signal);
}

/** The command that the arguments name; or the exit code, when help, version or completion were asked for and given. */
async function choose(args: readonly string[], io: Io): Promise<Chosen | Exit> {
  const parser = addCommands(toolParser(), COMMANDS, 1);
  if (args.length === 0) {
    io.out(await parser.getHelp());
    return Exit.Usage;
  }
  try {
    // yargs gives help, version and completion to this callback, which keeps it from the console.
    await parser.parseAsync(
      normaliseArgs(args, SWITCHES_OF_ALL),
      {},
      (_error: unknown, _flags: unknown, output: string) => {
        if (output !== '') io.out(output);
      },
    );
    return Exit.Ok;
  } catch (chosen) {
    if (chosen instanceof Chosen) return chosen;
    throw chosen;
  }
}

/** Thrown out of yargs, which lays out the whole page of help after a command that returns: longer than most of them take. */
class Chosen {
  constructor(
    readonly command: Command,
    readonly given: Flags,
    readonly words: readonly unknown[],
  ) {}
}

/** Declares commands. The first `depth` words name a command; more than it takes are left over. */
function addCommands(parser: Argv, commands: readonly (Command | CommandGroup)[], depth: number): Argv {
  return commands.reduce((to, each) => {
    if ('commands' in each) {
      const group = (yargs: Argv) =>
        addCommands(yargs, each.commands, depth + 1).demandCommand(
          1,
          `${each.command} what? ${each.commands.map(({ command }) => command.split(' ')[0]).join(', ')}`,
        );
      return to.command(each.command, each.describe, group);
    }
    return to.command(
      each.command,
      each.describe,
      (yargs) => declare(yargs, each),
      // The command of Vitess has no name, and refuses words itself: they are meant as commands.
      (flags) => {
        throw new Chosen(each, flags, each.command === '$0' ? [] : flags._.slice(depth));
      },
    );
  }, parser);
}

function toolParser(): Argv {
  return yargs([])
    .scriptName('topo2topo')
    .usage('$0 <command>\n\nMoves the topology of a Vitess cluster between stores.')
    .version(version())
    .strictOptions()
    .parserConfiguration({
      'duplicate-arguments-array': true,
      'greedy-arrays': false,
      'boolean-negation': false,
      'dot-notation': false,
      'camel-case-expansion': false,
      'populate--': true,
      'sort-commands': true,
    })
    .recommendCommands()
    .completion('completion', 'print a completion script for your shell')
    .epilogue(
      'Exit codes: 0 done or equal, 1 different, 2 usage, 3 store unreachable or refused, 4 stopped by a guard, 5 inconclusive',
    )
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message: string | undefined, error: unknown) => {
      // YError is how yargs says that it does not understand; everything else a command threw.
      if (error !== undefined && error !== null && !(error instanceof Error && error.name === 'YError'))
        throw error;
      const said = message ?? (error instanceof Error ? error.message : 'not understood');
      const [, unknown = ''] = /^Unknown arguments?: ([\w-]+)/.exec(said) ?? [];
      const meant = otherSides(unknown).map((name) => `--${name}`);
      throw usage(shown(said), meant.length === 0 ? undefined : `here it is ${meant.join(' or ')}`);
    });
}

/** Asked of the arguments themselves, which may be the reason for the error. What follows `--` is another program's. */
function wantsJson(all: readonly string[], io: Io): boolean {
  const end = all.indexOf('--');
  const args = end < 0 ? all : all.slice(0, end);
  const flag = args.findIndex((arg) => /^--?output(=|$)/.test(arg));
  if (flag < 0) return io.env['TOPO2TOPO_OUTPUT'] === 'json';
  return args[flag]?.endsWith('=json') === true || args[flag + 1] === 'json';
}
