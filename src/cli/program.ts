import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Clock } from '../topo/clock.js';
import { usage } from './flags.js';

/** How long a program that was asked to end may take. */
const END_MS = 10_000;

/**
 * Runs a program with this process's own streams and environment. When `stop` fires it is asked to end, and ended after ten
 * seconds. Answers with its exit code, as a shell gives it: 128 and the signal's number for a program that a signal ended.
 * Usage when it cannot be started.
 */
export function runProgram(
  [command = '', ...args]: readonly string[],
  stop: AbortSignal,
  clock: Clock,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    let cancel = () => {};
    const end = () => {
      child.kill('SIGTERM');
      cancel = clock.schedule(END_MS, () => void child.kill('SIGKILL'));
    };
    const done = (act: () => void) => {
      stop.removeEventListener('abort', end);
      cancel();
      act();
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      // A program that cannot be signalled is not one that could not be started.
      if (child.pid !== undefined) return;
      done(() =>
        reject(usage(`${command} cannot be started: ${error.code ?? 'error'}`, 'check the command after --')),
      );
    });
    child.once('exit', (code, signal) => {
      done(() => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
    if (stop.aborted) end();
    else stop.addEventListener('abort', end, { once: true });
  });
}
