// Starts servers on behalf of a test and outlives it: when the test's process is gone, however it went, the
// channel to it closes, and whatever it left running is killed and its folders are deleted. A process of its own
// session, so that a signal to the test's process group does not reach it.
import { spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';

const running = new Map();
const folders = new Set();

const tell = (message) => {
  if (process.connected) process.send(message, () => {});
};

const actions = {
  spawn({ id, command, args, env, cwd, log }) {
    const output = openSync(log, 'a');
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', output, output] });
    closeSync(output);
    running.set(id, child);
    child.on('spawn', () => tell({ id, event: 'spawned', pid: child.pid }));
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      running.delete(id);
      tell({ id, event: 'failed', reason: error.message });
    });
    child.on('exit', (code, signal) => {
      running.delete(id);
      tell({ id, event: 'exited', reason: `exit ${signal ?? code}` });
    });
  },
  keep({ folder }) {
    folders.add(folder);
  },
  remove({ id, folder }) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    folders.delete(folder);
    tell({ id, event: 'removed' });
  },
};

process.on('message', (message) => actions[message.action](message));

process.on('disconnect', async () => {
  const exits = [...running.values()].map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const child of running.values()) child.kill('SIGKILL');
  await Promise.all(exits);
  for (const folder of folders)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  process.exit();
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
