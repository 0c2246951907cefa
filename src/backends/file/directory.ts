import type { CallOptions, DirEntry, ScanPage, StoredRecord } from '../../topo/connection.js';
import { noDirectory } from './error.js';
import type { Part } from './part.js';
import type { Tree } from './tree.js';

/** Limits of one page of a scan. */
const PAGE_RECORDS = 500;
const PAGE_BYTES = 4 * 1024 * 1024;

export async function listDir(part: Part, path: string, options?: CallOptions): Promise<string[]> {
  const found = await part.read(path, options, (tree) => listIn(part, tree, path));
  return found.map(({ name }) => name);
}

export async function listDirFull(part: Part, path: string, options?: CallOptions): Promise<DirEntry[]> {
  const found = await part.read(path, options, (tree) => listIn(part, tree, path));
  return found.map(({ name, directory }) => ({
    name,
    type: directory ? 'directory' : 'file',
    ephemeral: false,
  }));
}

export async function* scan(part: Part, prefix: string, options?: CallOptions): AsyncGenerator<ScanPage> {
  const { items, position } = await part.read(prefix, options, (tree, now) => ({
    items: tree.below(prefix),
    position: now,
  }));
  let records: StoredRecord[] = [];
  let bytes = 0;
  for (const { path, entry } of items) {
    if (records.length >= PAGE_RECORDS || (records.length > 0 && bytes + entry.bytes.length > PAGE_BYTES)) {
      yield { records, position };
      part.checkGoesOn(prefix, options);
      records = [];
      bytes = 0;
    }
    records.push({ path, ...part.value(entry) });
    bytes += entry.bytes.length;
  }
  yield { records, position };
}

function listIn(part: Part, tree: Tree, path: string): NonNullable<ReturnType<Tree['list']>> {
  const found = tree.list(path);
  if (found === undefined) throw noDirectory(part.store, path);
  return found;
}
