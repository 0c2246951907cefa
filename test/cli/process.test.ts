import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { makeFolder, removeFolder } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { until } from '../support/until.js';
import { plantSample } from './sample.js';

const TOOL = fileURLToPath(new URL('./tool-process.ts', import.meta.url));
const LIMIT_MS = 60_000;

/** Starts the tool as a process. `closed`: ends of its output that are closed before it can write. `fileBlocks`: how long a file may get. */
function tool(
  args: readonly string[],
  more: {
    readonly stdout?: number;
    readonly closed?: readonly ('stdout' | 'stderr')[];
    readonly fileBlocks?: number;
  } = {},
) {
  const limit = `ulimit -f ${more.fileBlocks ?? 'unlimited'} && exec "$0" "$@"`;
  const child = spawn('/bin/sh', ['-c', limit, process.execPath, '--import', 'tsx', TOOL, ...args], {
    stdio: ['ignore', more.stdout ?? 'pipe', 'pipe'],
  });
  let err = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdout?.resume();
  for (const end of more.closed ?? []) child[end]?.destroy();
  const done = new Promise<{ code: number | null; signal: string | null; err: string }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, err }));
  });
  return { child, done };
}

/** A server that accepts connections and never says anything. */
async function silentServer() {
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  const sockets: { destroy(): void }[] = [];
  const connected = new Promise<void>((resolve) => server.once('connection', () => resolve()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  stops.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: address.port, connected };
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

describe('an interrupt while connecting', () => {
  test.each(['zk2', 'etcd2'])('ends the command at once: %s', async (implementation) => {
    const { port, connected } = await silentServer();
    const abort = new AbortController();
    const started = Date.now();
    const running = cli(['ls', `${implementation}://127.0.0.1:${port}/a`], {}, { signal: abort.signal });
    await connected;
    abort.abort();
    expect(await running).toMatchObject({ code: 5, err: expect.stringContaining('Interrupted') });
    expect(Date.now() - started).toBeLessThan(8_000);
  });

  test('ends the process with exit code 5', { timeout: LIMIT_MS }, async () => {
    const { port, connected } = await silentServer();
    const { child, done } = tool(['ls', `zk2://127.0.0.1:${port}/a`]);
    await connected;
    const interrupted = Date.now();
    // As from timeout, which sends it to the process and to its group.
    child.kill('SIGINT');
    child.kill('SIGTERM');
    const { code, err } = await done;
    expect(err).toContain('[Interrupted]');
    expect(code).toBe(5);
    expect(Date.now() - interrupted).toBeLessThan(6_000);
  });
});

describe.runIf(spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0)('a terminal', () => {
  test('that goes away ends the process as an interrupt does, with its exit code', {
    timeout: LIMIT_MS,
  }, async () => {
    const { port, connected } = await silentServer();
    const folder = await makeFolder();
    const code = join(folder, 'code');
    const run = join(folder, 'run');
    writeFileSync(
      run,
      `trap 'kill -HUP $tool' HUP
"${process.execPath}" --import tsx "${TOOL}" ls zk2://127.0.0.1:${port}/a & tool=$!
wait $tool; code=$?
while kill -0 $tool; do wait $tool; code=$?; done
echo $code > "${code}.new"; mv "${code}.new" "${code}"
`,
    );
    const terminal = spawn('script', ['-qec', `sh ${run}`, '/dev/null'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await connected;
    terminal.kill('SIGKILL');
    await until('its end', () => existsSync(code));
    expect(readFileSync(code, 'utf8')).toBe('5\n');
    await removeFolder(folder);
  });
});

describe('output that cannot be written', () => {
  test('to a reader that went away is no failure', { timeout: LIMIT_MS }, async () => {
    expect(await tool(['demo'], { closed: ['stdout'] }).done).toMatchObject({ code: 0, err: '' });
  });

  test('nor does it change the code of a failure', { timeout: LIMIT_MS }, async () => {
    const { done } = tool(['ls', 'mysql://h/a'], { closed: ['stdout', 'stderr'] });
    expect(await done).toMatchObject({ code: 2, signal: null });
  });

  test.runIf(existsSync('/dev/full'))(
    'to a full disk is one line and exit code 5',
    { timeout: LIMIT_MS },
    async () => {
      const full = openSync('/dev/full', 'w');
      const { code, err } = await tool(['demo'], { stdout: full }).done;
      closeSync(full);
      expect(err.trim().split('\n')).toEqual([expect.stringContaining('ENOSPC')]);
      expect(code).toBe(5);
    },
  );

  test('a certificate for which there is no room is not there, and the decision is told', {
    timeout: LIMIT_MS,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'topo2topo-process-'));
    stops.push(() => rmSync(folder, { recursive: true }));
    const { from } = await plantSample();
    const sides = [`file:${folder}/a.topo`, `file:${folder}/b.topo`];
    for (const side of sides) expect(await cli(['copy', from, side])).toMatchObject({ code: 0 });
    const certificate = join(folder, 'certificate.json');
    const { code, err } = await tool(['verify', ...sides, '--certificate', certificate], { fileBlocks: 0 })
      .done;
    expect(err).toContain('both sides were compared (equal), and the certificate');
    expect(err).toMatch(/cannot be written: E[A-Z]+ /);
    expect(code).toBe(3);
    expect(existsSync(certificate)).toBe(false);
  });
});
