import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import { type Flags, usage } from './addresses.js';
import { normaliseArgs } from './args.js';
import { catCommand } from './commands/cat.js';
import { copyCommand } from './commands/copy.js';
import { demoCommand } from './commands/demo.js';
import { lsCommand } from './commands/ls.js';
import { treeCommand } from './commands/tree.js';
import { verifyCommand } from './commands/verify.js';
import { vitessCommand } from './commands/vitess.js';
import { Exit, exitCodeOf } from './exit.js';
import { errorJson, errorText, type Io, processIo } from './io.js';

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
  let exit: Exit = Exit.Ok;
  const normalised = normaliseArgs(args);
  let parser: Argv = yargs([])
    .scriptName('topo2topo')
    .usage('$0 <command>\n\nMoves the topology of a Vitess cluster between stores.')
    .version(version())
    .strictOptions()
    .parserConfiguration({
      'duplicate-arguments-array': true,
      'greedy-arrays': false,
      'boolean-negation': false,
    })
    .recommendCommands()
    .completion('completion', 'print a completion script for your shell')
    .epilogue(
      'Exit codes: 0 done or equal, 1 different, 2 usage, 3 store unreachable or refused, 4 stopped by a guard, 5 inconclusive',
    )
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? usage(message);
    });
  for (const { command, describe, builder, run: runCommand } of COMMANDS) {
    parser = parser.command(command, describe, builder, async (flags) => {
      exit = await runCommand(flags, io, signal);
    });
  }
  try {
    if (args.length === 0) {
      io.out(await parser.getHelp());
      return Exit.Usage;
    }
    // yargs gives help, version and completion to this callback, which keeps it from the console.
    await parser.parseAsync(normalised, {}, (_error: unknown, _flags: unknown, output: string) => {
      if (output !== '') io.out(output);
    });
    return exit;
  } catch (error) {
    if (wantsJson(normalised)) io.out(errorJson(error));
    io.err(errorText(io, error));
    return exitCodeOf(error);
  }
}

/** Entry point of bin/topo2topo.js: the process's arguments, streams and signals. */
export async function main(): Promise<void> {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const stop = () => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  // A reader that went away (`topo2topo ls … | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  process.exitCode = await run(process.argv.slice(2), processIo(), abort.signal);
  process.removeListener('SIGINT', stop);
  process.removeListener('SIGTERM', stop);
}

function wantsJson(args: readonly string[]): boolean {
  return args.some(
    (arg, index) => arg === '--output=json' || (arg === '--output' && args[index + 1] === 'json'),
  );
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version: found } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return found;
}
