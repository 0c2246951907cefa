import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STOPPED_LIMIT_MS = 5_000;

/** What to run; its output is appended to the file `log`. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly log: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A running program. It is the watchdog's child: it does not outlive this process. */
export interface Program {
  readonly pid: number;
  /** Waits until it has ended and tells how (`exit 1`, `exit SIGKILL`). */
  exited(): Promise<string>;
  /** How it ended, or undefined while it runs (a frozen one runs). */
  ended(): string | undefined;
  /** Sends a signal, unless it has ended. After SIGSTOP it stands still when this returns. */
  signal(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
}

interface Report {
  readonly id: number;
  readonly event: 'spawned' | 'failed' | 'exited' | 'removed';
  readonly pid?: number;
  readonly reason?: string;
}

let dog: ChildProcess | undefined;
let lastId = 0;
const listeners = new Map<number, (report: Report) => void>();

function watchdog(): ChildProcess {
  if (dog !== undefined) return dog;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = fork(join(import.meta.dirname, 'watchdog.mjs'), {
    detached: true,
    execArgv: [],
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.on('message', (report: Report) => listeners.get(report.id)?.(report));
  child.on('exit', () => {
    dog = undefined;
    for (const [id, listener] of listeners) listener({ id, event: 'exited', reason: 'the watchdog ended' });
  });
  // A process that has started servers may end without stopping them: that is what the watchdog is for.
  child.unref();
  child.channel?.unref();
  dog = child;
  return child;
}

/** Keeps this process from ending while it waits for the watchdog. */
async function awaiting<T>(answer: Promise<T>): Promise<T> {
  const alive = setInterval(() => {}, 60_000);
  try {
    return await answer;
  } finally {
    clearInterval(alive);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // it has ended, and the watchdog's word of that is on its way
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  try {
    return readdirSync(tasks).every((task) =>
      /\) [TXZ] /.test(readFileSync(`${tasks}/${task}/stat`, 'latin1')),
    );
  } catch {
    // a thread ended meanwhile, or the process did, or this system has no such files
    return !existsSync(tasks);
  }
}

/** On a busy machine, threads of a stopped process run on until one of them takes the signal. */
function awaitStopped(pid: number): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const limit = Date.now() + STOPPED_LIMIT_MS;
  while (!isStopped(pid)) {
    if (Date.now() > limit) throw new Error(`process ${pid} did not stop within ${STOPPED_LIMIT_MS} ms`);
    Atomics.wait(clock, 0, 0, 1);
  }
}

/**
 * Runs a program that is killed when this process ends, however it ends.
 *
 * @throws Error when the program cannot be started at all
 */
export async function run(command: Command): Promise<Program> {
  const id = ++lastId;
  let end: string | undefined;
  let ended: (reason: string) => void = () => {};
  const exited = new Promise<string>((resolve) => {
    ended = resolve;
  });
  const spawned = new Promise<number>((resolve, reject) => {
    listeners.set(id, (report) => {
      if (report.event === 'spawned' && report.pid !== undefined) resolve(report.pid);
      if (report.event !== 'failed' && report.event !== 'exited') return;
      listeners.delete(id);
      end = report.reason ?? 'ended';
      ended(end);
      reject(new Error(`${command.command} could not be started: ${end}`));
    });
  });
  const env = { ...process.env, ...command.env };
  watchdog().send({ action: 'spawn', id, ...command, env });
  const pid = await awaiting(spawned);
  return {
    pid,
    exited: () => awaiting(exited),
    ended: () => end,
    signal: (signal) => {
      if (end === undefined) send(pid, signal);
      if (end === undefined && signal === 'SIGSTOP') awaitStopped(pid);
    },
  };
}

/** Makes a folder for data, in `parent`, which is deleted when this process ends, however it ends. */
export async function makeFolder(parent = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, 'topo2topo-server-'));
  watchdog().send({ action: 'keep', folder });
  return folder;
}

/** Deletes a folder made by `makeFolder`. */
export async function removeFolder(folder: string): Promise<void> {
  const id = ++lastId;
  const removed = new Promise<void>((resolve) => {
    listeners.set(id, () => {
      listeners.delete(id);
      resolve();
    });
  });
  watchdog().send({ action: 'remove', id, folder });
  await awaiting(removed);
}

/** The end of a log file, for error messages: its last lines, without those that are frames of a stack. */
export async function tail(log: string, lines = 20): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '');
  const told = text
    .trimEnd()
    .split('\n')
    .filter((line) => !/^\s+at /.test(line));
  return told.slice(-lines).join('\n');
}
