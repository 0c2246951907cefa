import { readFileSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import { normaliseArgs } from './args.js';
import { catCommand } from './commands/cat.js';
import { copyCommand } from './commands/copy.js';
import { demoCommand } from './commands/demo.js';
import { lsCommand } from './commands/ls.js';
import { treeCommand } from './commands/tree.js';
import { verifyCommand } from './commands/verify.js';
import { vitessCommand } from './commands/vitess.js';
import { Exit, exitCodeOf } from './exit.js';
import { causeOf, errorJson, errorText } from './failure.js';
import { checkFlags, type Flags, shown, usage } from './flags.js';
import type { Io } from './io.js';

/** One command: how yargs knows it, and what it does. `run` throws, or answers with the exit code. */
interface Command {
  readonly command: string;
  readonly describe: string;
  readonly builder: (yargs: Argv) => Argv;
  readonly run: (flags: Flags, io: Io, signal: AbortSignal) => Promise<Exit>;
}

const COMMANDS: readonly Command[] = [
  copyCommand,
  verifyCommand,
  lsCommand,
  catCommand,
  treeCommand,
  demoCommand,
  vitessCommand,
];

/** Runs the tool with the arguments after its name. Never throws; answers with the exit code. */
export async function run(args: readonly string[], io: Io, signal: AbortSignal): Promise<Exit> {
  try {
    return await dispatch(args, io, signal);
  } catch (error) {
    if (wantsJson(args)) io.out(errorJson(error));
    io.err(errorText(io, error));
    return exitCodeOf(causeOf(error));
  }
}

async function dispatch(args: readonly string[], io: Io, signal: AbortSignal): Promise<Exit> {
  let exit: Exit = Exit.Ok;
  let parser = toolParser();
  for (const { command, describe, builder, run: runCommand } of COMMANDS) {
    parser = parser.command(command, describe, builder, async (flags) => {
      // The command of Vitess has no name, and refuses words itself: they are meant as commands.
      checkFlags(flags, command === '$0' ? [] : flags._.slice(1));
      exit = await runCommand(flags, io, signal);
    });
  }
  if (args.length === 0) {
    io.out(await parser.getHelp());
    return Exit.Usage;
  }
  // yargs gives help, version and completion to this callback, which keeps it from the console.
  await parser.parseAsync(normaliseArgs(args), {}, (_error: unknown, _flags: unknown, output: string) => {
    if (output !== '') io.out(output);
  });
  return exit;
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
      throw usage(shown(message ?? (error instanceof Error ? error.message : 'not understood')));
    });
}

/** Asked of the arguments themselves, which may be the reason for the error. */
function wantsJson(args: readonly string[]): boolean {
  return args.some(
    (arg, index) => /^--?output=json$/.test(arg) || (/^--?output$/.test(arg) && args[index + 1] === 'json'),
  );
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version: found } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return found;
}
