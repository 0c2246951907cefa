import { posix } from 'node:path';
import type { Stat } from '../zookeeper/client.js';
import type { Context, ZkCommand } from './command.js';
import { forEachPath, resolve } from './paths.js';
import { localTime } from './time.js';
import { joinZnode, unlessAbsent, type Znode, type Znodes } from './znodes.js';

export const ls: ZkCommand = {
  name: 'ls',
  params: '[-l] [-d] [-R] [-f] PATH…',
  describe:
    'list children; -l: kind, size, time; -d: the znode itself; -R: everything below; -f: no error for what is absent',
  flags: { l: 'longlisting', d: 'directorylisting', f: 'force', R: 'recursivelisting' },
  words: [1, Number.POSITIVE_INFINITY],
  async run({ znodes, output }, { words, on }) {
    const paths = await resolve(znodes, words);
    const wish = { long: on.has('l'), itself: on.has('d'), all: on.has('R') };
    const heads = paths.length > 1 && !wish.itself;
    await forEachPath('ls', paths, output.warn, async (path) => {
      const listing = on.has('f')
        ? await unlessAbsent(list(znodes, path, wish))
        : await list(znodes, path, wish);
      if (listing === undefined) return;
      if (heads) output.line(`${path}:`);
      show(output, listing, wish);
      if (heads) output.line('');
    });
  },
};

interface Wish {
  readonly long: boolean;
  readonly itself: boolean;
  readonly all: boolean;
}

interface Listing {
  /** With their Stat, which a short listing does without. */
  readonly found: readonly { readonly path: string; readonly stat: Stat | undefined }[];
  readonly isDirectory: boolean;
}

/** What is shown of a path: all below it, its children, or itself where it has none. */
async function list(znodes: Znodes, path: string, { long, itself, all }: Wish): Promise<Listing> {
  if (all && !itself) return { found: await znodes.below(path), isDirectory: true };
  const { names, stat } = await znodes.children(path);
  if (itself || names.length === 0) return { found: [{ path, stat }], isDirectory: false };
  const paths = names.map((name) => joinZnode(path, name));
  return {
    found: long ? await withStats(znodes, paths) : paths.map((each) => ({ path: each, stat: undefined })),
    isDirectory: true,
  };
}

async function withStats(znodes: Znodes, paths: readonly string[]): Promise<Znode[]> {
  const stats = new Map<string, Stat>();
  await znodes.each(paths, async (path) => {
    const stat = await znodes.stat(path);
    if (stat !== undefined) stats.set(path, stat);
  });
  return paths.flatMap((path) => {
    const stat = stats.get(path);
    return stat === undefined ? [] : [{ path, stat }];
  });
}

function show(output: Context['output'], { found, isDirectory }: Listing, { long, itself, all }: Wish): void {
  const wholePath = all || (long && (itself || !isDirectory));
  if (long && isDirectory && found.length > 0) output.line(`total: ${found.length}`);
  for (const { path, stat } of found) {
    const name = wholePath ? path : posix.basename(path) || '/';
    output.line(long && stat !== undefined ? longLine(stat, name) : name);
  }
}

/** In the columns of the old tool. The permissions are none: `d` has children, `n` has children and data, `e` is ephemeral. */
function longLine(stat: Stat, name: string): string {
  const size = ` ${stat.dataLength}`.padStart(8);
  return `${kindOf(stat)} zk zk ${size} ${localTime(stat.mtime).padStart(20)} ${name}`;
}

function kindOf({ numChildren, dataLength, ephemeralOwner }: Stat): string {
  if (numChildren > 0) return dataLength > 0 ? 'nrw-rw-rw-' : 'drwxrwxrwx';
  return ephemeralOwner === 0n ? '-rw-rw-rw-' : 'erw-rw-rw-';
}
