import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The path of a file of the project. */
export const at = (...parts) => join(ROOT, ...parts);

/** What a shell would give for a process that ended so. */
export const exitCode = (code, signal) => code ?? 128 + (constants.signals[signal] ?? 0);

/** Signals that reach only this process and not, as Ctrl-C in a terminal does, also its children. */
const STOPS = ['SIGTERM', 'SIGHUP'];

/**
 * Runs a command in the project's root and resolves to its exit code (127 when it cannot be started). With
 * `quiet` its output is shown only when it fails, on standard error.
 */
export function run(command, args, { quiet = false, env = {} } = {}) {
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'];
  const child = spawn(command, args, { cwd: ROOT, stdio, env: { ...process.env, ...env } });
  const pass = (signal) => child.kill(signal);
  for (const signal of STOPS) process.on(signal, pass);
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve) => {
    const end = (code) => {
      for (const signal of STOPS) process.off(signal, pass);
      if (code !== 0) process.stderr.write(Buffer.concat(output));
      resolve(code);
    };
    child.on('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      end(127);
    });
    child.on('close', (code, signal) => end(exitCode(code, signal)));
  });
}

/** Runs one of package.json's scripts. */
export const npmRun = (script, options) => run('npm', ['run', '--silent', script], options);

/** Runs a program that an installed package brings. */
export const tool = (name, args, options) => run(at('node_modules/.bin', name), args, options);
