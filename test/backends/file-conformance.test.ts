import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backend } from '../../src/backends/file/index.js';
import { systemClock } from '../../src/topo/clock.js';
import { runConformance } from '../conformance/index.js';

const folder = mkdtempSync(join(tmpdir(), 'topo-file-'));
const settings = {
  clock: systemClock,
  random: Math.random,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
};

runConformance({
  name: 'file',
  stop: async () => rmSync(folder, { recursive: true }),
  open: (root, options) => {
    // A file of its own for each place, and a root as long as the suite's; a place inside another is left to be refused.
    const [, outer = '', place = '', ...inner] = root.split('/');
    const server = join(folder, `${place}.topo`);
    const address = {
      implementation: 'file',
      server,
      root: [`/${outer}-${place}`, ...inner].join('/'),
    } as const;
    return backend.connect(address, { ...settings, ...options });
  },
  expects: {
    'a place inside another is seen from the outer one, under its path':
      'the parts of a file lie side by side',
    'a root whose records were all deleted and made anew has another identity':
      'a file is told by where it is, and does not keep since when a record is there',
    ...Object.fromEntries(
      [
        'a lock is held until unlock, and its entry is an ephemeral record that holds the contents',
        'lockQueue shows who holds the lock, with what it wrote; nobody before, nobody after',
        'unlock leaves the store as it was: records, versions, directories',
        'check asks the store: it is LockLost right after the entry was deleted',
        'unlock right after the entry was deleted is LockLost, too',
      ].map((title) => [title, 'a lock is a file of its own, and no record of the topology file']),
    ),
  },
});
