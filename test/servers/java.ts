import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundle } from './packages.js';

const run = promisify(execFile);

/** Whether this machine has a Java of its own on PATH. */
export async function hasJava(): Promise<boolean> {
  return run('java', ['-version']).then(
    () => true,
    () => false,
  );
}

/** The command that starts Java: the machine's own, or an unpacked one. */
export async function java(): Promise<string> {
  if (await hasJava()) return 'java';
  const { root } = await bundle('java');
  const machines = join(root, 'usr/lib/jvm');
  const [name] = (await readdir(machines)).filter((entry) => entry.startsWith('java-17-openjdk-'));
  if (name === undefined) throw new Error('the fetched Java has no java-17-openjdk folder');
  return join(machines, name, 'bin/java');
}
