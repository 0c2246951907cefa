import { appendFileSync } from 'node:fs';

/** Names the file that collects notices: `npm test` sets it and prints the notices before its closing line. */
const FILE = 'TOPO2TOPO_TEST_NOTICES';
const said = new Set<string>();

/** Records that something is not tested on this machine, so that the end of the test run says so loudly. */
export function loudSkip(reason: string): void {
  if (said.has(reason)) return;
  said.add(reason);
  const file = process.env[FILE];
  if (file === undefined) console.warn(`NOT RUN: ${reason}`);
  else appendFileSync(file, `${JSON.stringify(reason)}\n`);
}
