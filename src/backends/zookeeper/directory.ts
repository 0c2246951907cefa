import type { CallOptions, DirEntry } from '../../topo/connection.js';
import { compareBytewise } from '../../topo/paths.js';
import { noDirectory } from '../../topo/refusals.js';
import { listDirFull as listNative } from '../../znodes/directory.js';
import { about } from './about.js';
import type { LegacyStore } from './legacy-store.js';
import { scan } from './scan.js';
import { isPlain, plainNative, sourcesOf } from './sources.js';

export async function listDir(
  legacy: LegacyStore,
  path: string,
  options: CallOptions | undefined,
): Promise<string[]> {
  return (await listDirFull(legacy, path, options)).map(({ name }) => name);
}

/**
 * What lies as the canonical tree has it is listed as it lies, and the tablets of a cell are by their numbers: one without record, as an idle
 * one is, is an empty directory. Of other directories there are those that have records, and those whose znodes are there.
 */
export async function listDirFull(
  legacy: LegacyStore,
  path: string,
  options: CallOptions | undefined,
): Promise<DirEntry[]> {
  if (path === '') return listRoot(legacy, options);
  if (isPlain(legacy, path)) return about(path, listNative(legacy.store, plainNative(legacy, path), options));
  if (legacy.places.cell !== undefined && path === 'tablets') return listTablets(legacy, options);
  const entries = await listScanned(legacy, path, options);
  if (entries.length > 0 || (await hasSource(legacy, path, options))) return entries;
  throw noDirectory(legacy.store.context, path);
}

async function listRoot(legacy: LegacyStore, options: CallOptions | undefined): Promise<DirEntry[]> {
  const entries = await listNative(legacy.store, '', options);
  const shown = new Map<string, DirEntry>();
  for (const entry of entries) {
    const name = topName(legacy, entry);
    if (name === undefined) continue;
    const isMoved = name !== entry.name && name !== 'elections';
    const type = name === 'SrvVSchema' && isMoved ? 'file' : 'directory';
    if (shown.get(name)?.type !== 'directory')
      shown.set(name, isMoved ? { name, type, ephemeral: false } : { ...entry, name });
  }
  return [...shown.values()].sort((a, b) => compareBytewise(a.name, b.name));
}

/** The canonical first segment of what is in a znode of the root; undefined: it is no record, nor has any. */
function topName({ places }: LegacyStore, { name, type }: DirEntry): string | undefined {
  const isDirectory = type === 'directory';
  if (places.cell === undefined) {
    if (name === 'election') return 'elections';
    if (name === 'vschema') return isDirectory ? name : 'keyspaces';
    return isDirectory || places.place(name).is === 'raw' ? name : undefined;
  }
  if (name === 'ns' || name === 'replication') return 'keyspaces';
  if (name === 'vschema') return isDirectory ? name : 'SrvVSchema';
  return isDirectory || places.place(name).is === 'raw' ? name : undefined;
}

async function listTablets(
  { store, places }: LegacyStore,
  options: CallOptions | undefined,
): Promise<DirEntry[]> {
  const entries = await listNative(store, 'tablets', options);
  return entries.flatMap(({ name }): DirEntry[] => {
    const place = places.place(`tablets/${name}`);
    if (place.is !== 'record' || place.alias === undefined) return [];
    return [{ name: place.alias, type: 'directory', ephemeral: false }];
  });
}

async function listScanned(
  legacy: LegacyStore,
  path: string,
  options: CallOptions | undefined,
): Promise<DirEntry[]> {
  const entries = new Map<string, DirEntry>();
  for await (const { records } of scan(legacy, path, options)) {
    for (const { path: at, ephemeral } of records) {
      const [name = '', ...below] = at.slice(path.length + 1).split('/');
      const known = entries.get(name);
      const type = below.length > 0 || known?.type === 'directory' ? 'directory' : 'file';
      entries.set(name, { name, type, ephemeral: ephemeral && (known?.ephemeral ?? true) });
    }
  }
  return [...entries.values()].sort((a, b) => compareBytewise(a.name, b.name));
}

/** Whether a directory is there without records. */
async function hasSource(
  legacy: LegacyStore,
  path: string,
  options: CallOptions | undefined,
): Promise<boolean> {
  const { store, places } = legacy;
  const natives = sourcesOf(legacy, path).filter((native) => places.place(native).is !== 'derived');
  const znodes = await Promise.all(natives.map((native) => store.readZnode(native, options, path)));
  return znodes.some((znode, index) => znode !== undefined && store.isDirectory(natives[index] ?? '', znode));
}
