import type { CallOptions, DirEntry } from '../../topo/connection.js';
import { compareBytewise } from '../../topo/paths.js';
import type { EtcdClient } from './client.js';
import { noDirectory } from './error.js';
import type { KeyPage, ListedKey } from './key-page.js';
import { after } from './keys.js';

/** Keys of a listing's small pages, and bounds of its large ones. */
const LIST_FIRST = 256;
const LIST_LEAST = 1_024;
const LIST_MOST = 65_536;
/** About so many large pages a listing takes at most: for each, etcd walks over all keys that remain. So small ones are few, too. */
const LIST_PAGES = 4;
const LIST_SMALL = 16;
/** So many keys for each name in a page are taken to be the insides of subdirectories, at least. */
const LIST_NARROW = 8;

export async function listDir(client: EtcdClient, path: string, options?: CallOptions): Promise<string[]> {
  const entries = await list(client, path, () => true, options);
  return entries.map(({ name }) => name);
}

export async function listDirFull(
  client: EtcdClient,
  path: string,
  options?: CallOptions,
): Promise<DirEntry[]> {
  // A directory is ephemeral only if all of it is: its first lasting record settles that.
  return list(client, path, (directory, last) => directory?.ephemeral === false || !last.leased, options);
}

type Entry = { name: string; type: DirEntry['type']; ephemeral: boolean };

/**
 * What is in a directory, at one revision, in pages of keys without values. A page that ends inside a subdirectory of which enough is
 * known is followed by what comes after that subdirectory. Pages are small while they show the insides of few subdirectories, since
 * what they show of these is for nothing; large ones are noted while the next one is read.
 */
async function list(
  client: EtcdClient,
  path: string,
  isKnown: (directory: Entry | undefined, last: ListedKey) => boolean,
  options: CallOptions | undefined,
): Promise<Entry[]> {
  const entries = new Map<string, Entry>();
  const { key: prefix, range_end } = client.keys.below(path);
  const left = new AbortController();
  const signal = options?.signal === undefined ? left.signal : AbortSignal.any([options.signal, left.signal]);
  const read = (key: Buffer, limit: number, revision: string) => {
    const range = { key, range_end, keys_only: true, limit, revision };
    const page = client.read('keys', range, path, { ...options, signal });
    // A page read ahead may fail when nobody waits for it any more.
    page.catch(() => {});
    return page;
  };
  const note = (keys: readonly ListedKey[]) => {
    for (const key of keys) addEntry(client, entries, prefix.length, key);
  };
  try {
    let limit = LIST_FIRST;
    let most = LIST_FIRST;
    let [revision, small] = ['0', 0];
    for (let page = read(prefix, limit, revision); ; ) {
      const { keys, more, ...answer }: KeyPage = await page;
      const last = keys.at(-1);
      if (!more || last === undefined) {
        note(keys);
        break;
      }
      if (revision === '0') {
        revision = answer.revision;
        most = Math.max(LIST_LEAST, Math.min(LIST_MOST, Math.ceil(answer.count / LIST_PAGES)));
      }
      const isSmall = limit === LIST_FIRST;
      if (isSmall) {
        const before = entries.size;
        note(keys);
        small += 1;
        if (entries.size - before > keys.length / LIST_NARROW || small > LIST_SMALL) limit = most;
      }
      const [name, isInside] = nameOf(client, prefix.length, last);
      page = read(
        isInside && isKnown(entries.get(name), last)
          ? Buffer.concat([prefix, Buffer.from(`${name}0`)])
          : after(last.key),
        limit,
        revision,
      );
      if (!isSmall) note(keys);
    }
  } finally {
    left.abort();
  }
  if (entries.size === 0) throw noDirectory(client.context, path);
  return [...entries.values()].sort((a, b) => compareBytewise(a.name, b.name));
}

/** The name in a directory that a key stands for, and whether the key is below it. */
function nameOf(client: EtcdClient, from: number, { key }: ListedKey): [name: string, isInside: boolean] {
  const rest = client.keys.text(key, from);
  const slash = rest.indexOf('/');
  return slash < 0 ? [rest, false] : [rest.slice(0, slash), true];
}

/** Takes note of a key. */
function addEntry(client: EtcdClient, entries: Map<string, Entry>, from: number, listed: ListedKey): void {
  const [name, isInside] = nameOf(client, from, listed);
  if (name === '') throw client.keys.illegal(listed.key);
  const entry = entries.get(name);
  if (entry === undefined) {
    entries.set(name, { name, type: isInside ? 'directory' : 'file', ephemeral: listed.leased });
  } else {
    if (isInside) entry.type = 'directory';
    entry.ephemeral &&= listed.leased;
  }
}

/** The revision of the whole cluster. */
export async function position(client: EtcdClient, options: CallOptions): Promise<bigint> {
  const request = { key: client.keys.first(''), keys_only: true };
  return BigInt((await client.read('range', request, '', options)).header.revision);
}
