import { posix } from 'node:path';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import type { Acl } from '../zookeeper/client.js';
import type { ZkCommand } from './command.js';
import { fixPath } from './paths.js';
import { unlessAbsent, type Znodes } from './znodes.js';

export const touch: ZkCommand = {
  name: 'touch',
  params: '[-p] [-c] PATH',
  describe:
    'make a znode without data, or write its data anew; -p: with the parents it lacks; -c: never make one',
  flags: { p: 'createparent', c: 'touchonly' },
  words: [1, 1],
  async run({ znodes }, { words: [word = ''], on }) {
    const path = fixPath(word);
    const reading = znodes.read(path, (client, options) => client.getData(path, options));
    const found = on.has('c') ? await reading : await unlessAbsent(reading);
    if (found === undefined) return create(znodes, path, null, on.has('p'));
    // The same data again, and only if nobody wrote meanwhile.
    const { data, stat } = found;
    await znodes.write(path, (client, options) => client.setData(path, data, stat.version, options));
  },
};

const OPEN_TO_ALL: readonly Acl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }];

/**
 * Makes a znode as the old tool does, open to all. With `parents`: those that are missing, too, on the servers that have `of`, which is
 * the znode that they are made for.
 */
export async function create(
  znodes: Znodes,
  path: string,
  data: Uint8Array | null,
  parents: boolean,
  of = path,
): Promise<void> {
  const make = () =>
    znodes.write(of, (client, options) => client.create({ path, data, acl: OPEN_TO_ALL }, options));
  try {
    await make();
  } catch (error) {
    if (!parents || path === '/' || !isTopologyError(error, ErrorCode.NoNode)) throw error;
    await create(znodes, posix.dirname(path), null, true, of).catch((failure: unknown) => {
      if (!isTopologyError(failure, ErrorCode.NodeExists)) throw failure;
    });
    await make();
  }
}
