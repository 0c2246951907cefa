import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { backend } from '../../src/backends/file/index.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';

const settings: ConnectSettings = {
  clock: systemClock,
  random: Math.random,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
};

/** Gives names of files in a folder that is removed after the tests of this module. */
export function temporaryFiles(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'topo-file-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

/** Connects to one scope of a file. */
export function openFile(
  file: string,
  scope = 'global',
  other: Partial<ConnectSettings> = {},
): Promise<Connection> {
  const address = { implementation: 'file', server: file, root: `/${scope}` } as const;
  return backend.connect(address, { ...settings, ...other });
}

/** Connects for the time of `work`. */
export async function withFile<T>(
  file: string,
  scope: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await openFile(file, scope);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** Every record as path → text. */
export async function texts(connection: Connection): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const page of connection.scan(''))
    for (const { path, bytes } of page.records) found[path] = Buffer.from(bytes).toString();
  return found;
}

/** Another process that uses a file: what it says, line by line, and its end. */
export interface OtherProcess {
  readonly pid: number;
  readonly lines: AsyncIterableIterator<string>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  kill(): void;
  /** Lets one that waits for it go on. */
  goOn(): void;
}

/** Starts file-process.ts with these arguments. */
export function startProcess(...args: string[]): OtherProcess {
  return start([process.execPath, '--import', 'tsx', SCRIPT, ...args]);
}

/** The same, where the system lets no file grow beyond a size in KiB. */
export function startLimitedProcess(kibibytes: number, ...args: string[]): OtherProcess {
  const limit = `ulimit -f ${kibibytes * 2} && exec "$0" "$@"`;
  return start(['/bin/sh', '-c', limit, process.execPath, '--import', 'tsx', SCRIPT, ...args]);
}

const SCRIPT = fileURLToPath(new URL('./file-process.ts', import.meta.url));

function start([command = '', ...args]: string[]): OtherProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error('the process did not start');
  return {
    pid,
    lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
    ended: new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal ?? ''))),
    kill: () => child.kill('SIGKILL'),
    goOn: () => child.stdin.write('\n'),
  };
}
