import { setMaxListeners } from 'node:events';
import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Exit } from './exit.js';
import { errorText } from './failure.js';
import { processIo } from './io.js';
import { run } from './run.js';

/** How long a command may take to end after an interrupt: to give back a lock, and to end a program. */
const GRACE_MS = 25_000;
/** Interrupts within this time are one: `timeout` and npm send one to the process and one to its group. */
const ONE_INTERRUPT_MS = 1_000;
/** A terminal that went away is one, too: Node would end at once, and leave locks and a seal behind, whatever `nohup` said. */
const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const CUT_SHORT =
  'error ended before all was given back: locks and a seal that were held may be left; topo2topo doctor names them, and what removes them';

/** Entry point of bin/topo2topo.js: the process's arguments, streams and signals. */
export async function main(): Promise<void> {
  const io = processIo();
  // What libraries will have to change one day is no message for whoever runs this.
  process.noDeprecation = (io.env['TOPO2TOPO_DEBUG'] ?? '') === '';
  const streams = watchStreams();
  leaveTerminals();
  const fail = (error: unknown) => {
    io.err(errorText(io, error));
    process.exit(Exit.Inconclusive);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);

  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  let interrupted: number | undefined;
  const stop = (signal: NodeJS.Signals) => {
    if (interrupted === undefined) {
      interrupted = performance.now();
      abort.abort();
      setTimeout(() => {
        io.err(CUT_SHORT);
        process.exit(Exit.Inconclusive);
      }, GRACE_MS).unref();
    } else if (performance.now() - interrupted >= ONE_INTERRUPT_MS) {
      io.err(CUT_SHORT);
      forget();
      process.kill(process.pid, signal);
    }
  };
  const forget = () => {
    for (const signal of INTERRUPTS) process.removeListener(signal, stop);
  };
  for (const signal of INTERRUPTS) process.on(signal, stop);
  const exit = await run(process.argv.slice(2), io, abort.signal);
  forget();

  await Promise.all([process.stdout, process.stderr].map(flushed));
  process.exitCode = streams.failed() ? Exit.Inconclusive : exit;
  if (abort.signal.aborted) process.exit();
}

/** A reader that went away (`topo2topo ls … | head`) is no failure; a full disk is. */
function watchStreams(): { failed: () => boolean } {
  let failed = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || failed) return;
      failed = true;
      process.exitCode = Exit.Inconclusive;
      if (stream === process.stdout)
        process.stderr.write(`error results cannot be written: ${error.message}\n`);
    });
  }
  return { failed: () => failed };
}

/** As it ends Node gives terminals their settings back, and aborts where one went away. */
function leaveTerminals(): void {
  const terminals = [0, 1, 2].filter(isatty);
  process.on('exit', () => {
    for (const terminal of terminals)
      try {
        if (!isatty(terminal)) closeSync(terminal);
      } catch {
        // It is closed.
      }
  });
}

/** Waits until everything given to a stream was taken, or its reader went away. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
