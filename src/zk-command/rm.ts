import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import type { ZkCommand } from './command.js';
import { usage } from './error.js';
import { holdsTopology, topologyIn } from './guard.js';
import { fixPath, forEachPath, resolve } from './paths.js';
import { unlessAbsent, type Znodes } from './znodes.js';

export const rm: ZkCommand = {
  name: 'rm',
  params: '[-r] [-f] [--yes] PATH…',
  describe:
    'remove znodes; -r: with everything below; -f: no error for what is absent; --yes: a whole topology, too',
  flags: { r: 'recursivedelete', R: 'recursive', f: 'force', rf: 'forceandrecursive', y: 'yes' },
  words: [1, Number.POSITIVE_INFINITY],
  async run({ znodes, output }, { words, on }) {
    const recursive = ['r', 'R', 'rf'].some((flag) => on.has(flag));
    const force = on.has('f') || on.has('rf');
    for (const word of words) checkNarrow(fixPath(word), recursive);
    const paths = await resolve(znodes, words);
    for (const path of paths) checkNarrow(path, recursive);
    // Everything is looked at before the first znode goes.
    if (recursive && !on.has('y')) for (const path of paths) await checkNoTopology(znodes, path);
    await forEachPath('rm', paths, output.warn, async (path) => {
      const work = recursive ? removeTree(znodes, path) : remove(znodes, path);
      await (force ? unlessAbsent(work) : work);
    });
  },
};

function checkNarrow(path: string, recursive: boolean): void {
  if (path === '/') throw usage('rm: / is never removed');
  if (recursive && path.lastIndexOf('/') === 0)
    throw usage(`rm: overly general path: ${path}`, 'name what is below it, for example with a wildcard');
}

async function checkNoTopology(znodes: Znodes, path: string): Promise<void> {
  const below = (await unlessAbsent(znodes.below(path))) ?? [];
  const paths = below.map((znode) => znode.path);
  const root = topologyIn(path, paths);
  if (root !== undefined) throw holdsTopology(znodes.store, path, root, paths.length + 1);
}

async function remove(znodes: Znodes, path: string): Promise<void> {
  await znodes.write(path, (client, options) => client.delete(path, -1, options));
}

/** How often a tree is looked at again in which somebody makes znodes meanwhile. */
const ROUNDS = 5;

/** Removes a znode and everything below, the deepest first. */
async function removeTree(znodes: Znodes, path: string): Promise<void> {
  for (let round = 1; ; round++) {
    for (const level of levels((await znodes.below(path)).map((znode) => znode.path)))
      await znodes.each(level, (each) => removeIfEmpty(znodes, each));
    try {
      await remove(znodes, path);
      return;
    } catch (error) {
      if (!isTopologyError(error, ErrorCode.NotEmpty)) throw error;
      if (round < ROUNDS) continue;
      throw new TopologyError(ErrorCode.NotEmpty, 'somebody makes znodes below it while it is removed', {
        path,
        store: znodes.store,
        hint: 'stop what uses it, then remove it again',
        cause: error,
      });
    }
  }
}

/** One that is gone already is removed; one that has children again is seen in the next round. */
async function removeIfEmpty(znodes: Znodes, path: string): Promise<void> {
  try {
    await remove(znodes, path);
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.NoNode, ErrorCode.NotEmpty)) throw error;
  }
}

/** Paths by their depth, the deepest first. */
function levels(paths: readonly string[]): string[][] {
  const byDepth = new Map<number, string[]>();
  for (const path of paths) {
    const depth = path.split('/').length;
    const level = byDepth.get(depth) ?? [];
    byDepth.set(depth, level);
    level.push(path);
  }
  return [...byDepth].sort(([a], [b]) => b - a).map(([, level]) => level);
}
