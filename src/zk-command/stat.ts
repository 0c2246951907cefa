import type { Acl } from '../zookeeper/client.js';
import type { ZkCommand } from './command.js';
import { forEachPath, resolve } from './paths.js';
import { localMicroseconds } from './time.js';
import { unlessAbsent } from './znodes.js';

export const stat: ZkCommand = {
  name: 'stat',
  params: '[-f] PATH…',
  describe: 'show what ZooKeeper says of znodes; -f: no error for what is absent',
  flags: { f: 'force' },
  words: [1, Number.POSITIVE_INFINITY],
  async run({ znodes, output }, { words, on }) {
    await forEachPath('stat', await resolve(znodes, words), output.warn, async (path) => {
      const reading = znodes.read(path, (client, options) => client.getAcl(path, options));
      const found = on.has('f') ? await unlessAbsent(reading) : await reading;
      if (found === undefined) return;
      const { ctime, mtime, dataLength, numChildren, version, ephemeralOwner } = found.stat;
      const lines = [
        `Path: ${path}`,
        `Created: ${localMicroseconds(ctime)}`,
        `Modified: ${localMicroseconds(mtime)}`,
        `Size: ${dataLength}`,
        `Children: ${numChildren}`,
        `Version: ${version}`,
        `Ephemeral: ${ephemeralOwner}`,
        'ACL:',
        ...found.acl.map(aclLine),
      ];
      output.line(lines.join('\n'));
    });
  },
};

/** What each permission is called, in the order of the old tool. */
export const PERMISSIONS = [
  ['r', 1],
  ['w', 2],
  ['d', 8],
  ['c', 4],
  ['a', 16],
] as const;

/** The id of a digest ends with a hash of the password, which stays out. */
function aclLine({ scheme, id, perms }: Acl): string {
  const letters = PERMISSIONS.map(([letter, bit]) => ((perms & bit) === 0 ? '-' : letter)).join('');
  return ` ${scheme}:${scheme === 'digest' ? id.replace(/:[^:]*$/, '') : id} ${letters}`;
}
