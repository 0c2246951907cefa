import { readFile, stat, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { ZkCommand } from './command.js';
import { usage } from './error.js';
import { fixPath } from './paths.js';
import { create } from './touch.js';
import { unlessAbsent, type Znodes } from './znodes.js';

export const cp: ZkCommand = {
  name: 'cp',
  params: 'SOURCE… DESTINATION',
  describe:
    'copy data between znodes and files; a path is a znode’s when it begins with /zk, or with zk: as in zk:/vitess/global',
  flags: {},
  words: [2, Number.POSITIVE_INFINITY],
  pathsFrom: Number.POSITIVE_INFINITY,
  async run({ znodes }, { words }) {
    const last = words.at(-1) ?? '';
    const sources = words.slice(0, -1);
    const destination = sources.length > 1 && !last.endsWith('/') ? `${last}/` : last;
    if (!words.some(isZnode))
      throw usage('cp: neither source nor destination is a znode', 'write zk: before the path of a znode');
    for (const source of sources) {
      const data = await read(znodes, source);
      await write(znodes, await target(source, destination), data);
    }
  },
};

/** As the old tool tells them apart, where znodes had to be below /zk; or told by `zk:`. */
function isZnode(word: string): boolean {
  return word.startsWith('zk:') || word.startsWith('/zk');
}

function znodeOf(word: string): string {
  return fixPath(word.replace(/^zk:/, ''));
}

async function read(znodes: Znodes, source: string): Promise<Uint8Array | null> {
  if (!isZnode(source)) return onFile(source, 'read', () => readFile(source));
  const path = znodeOf(source);
  return (await znodes.read(path, (client, options) => client.getData(path, options))).data;
}

/** Into a directory, that is: into a path with a slash at its end, or a folder that exists, it goes under its own name. */
async function target(source: string, destination: string): Promise<string> {
  const name = posix.basename(source.replace(/\/+$/, ''));
  if (isZnode(destination)) return destination.endsWith('/') ? `${destination}${name}` : destination;
  const isFolder = await stat(destination).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder || destination.endsWith('/') ? join(destination, name) : destination;
}

async function write(znodes: Znodes, destination: string, data: Uint8Array | null): Promise<void> {
  if (!isZnode(destination)) return onFile(destination, 'written', () => writeFile(destination, data ?? ''));
  const path = znodeOf(destination);
  const there = await unlessAbsent(znodes.read(path, (client, options) => client.getData(path, options)));
  if (there === undefined) return create(znodes, path, data, true);
  // Not over what somebody wrote after it was looked at.
  await znodes.write(path, (client, options) => client.setData(path, data, there.stat.version, options));
}

async function onFile<T>(file: string, how: 'read' | 'written', work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new TopologyError(ErrorCode.Usage, `the file ${file} cannot be ${how}: ${reason}`, {
      hint: 'check its name and permissions; for a znode write zk: before the path',
      cause: error,
    });
  }
}
