import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { Member } from '../servers/index.js';
import { loudSkip } from '../support/notices.js';

/** Whether {@link fillDisk} works here. When it does not, the end of the test run says so. */
export function canFillDisks(): boolean {
  const can = spawnSync('prlimit', ['--version']).status === 0;
  if (!can) loudSkip('there is no prlimit to limit the files of servers with: no test filled a disk');
  return can;
}

/** From now on the member can write no file: what it writes fails as on a disk that is full. */
export async function fillDisk(member: Member): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(member.pid()), '--fsize=1']);
}
