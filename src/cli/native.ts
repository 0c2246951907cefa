import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import type { NativeNode, NativeStore, NativeWords } from '../topo/native.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import { withLocalCell } from './client-config.js';
import { Exit } from './exit.js';
import type { Flags } from './flags.js';
import { count, type Io, json } from './io.js';
import { printable } from './lists.js';
import { cellNamed, lookAt, type Place } from './looking.js';

/** Where a command looks. */
export interface NativePlace {
  readonly store: NativeStore;
  /** As it was given; without, the root of the topology. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Opens the store of a command as it is, runs `work`, closes it. */
export function lookNative(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  work: (place: NativePlace) => Promise<void>,
): Promise<Exit> {
  return lookAt(flags, io, signal, async ({ topology, ...asked }) => {
    const { scope, path } = await placeOf(topology, asked, io, signal);
    const cell = scope === GLOBAL ? undefined : await cellNamed(topology, scope, signal);
    const store = await topology.openNative(cell);
    try {
      await work({ store, path: path === '' ? store.root : path, signal });
    } finally {
      await store.close();
    }
    return Exit.Ok;
  });
}

/**
 * The scope whose store has a path, and the path there. In a legacy `zookeeper` a path that names a cell is one of that cell's store,
 * unless a scope is given, and `/zk/local` is a cell. NoCell.
 */
async function placeOf(
  topology: Topology,
  { scope, word }: Pick<Place, 'scope' | 'word'>,
  io: Io,
  signal: AbortSignal,
): Promise<{ readonly scope: string; readonly path: string }> {
  const given = { scope: scope ?? GLOBAL, path: word };
  if (topology.address.implementation !== 'zookeeper') return given;
  const [, name] = /^\/zk\/([^/]+)/.exec(word) ?? [];
  if (name === undefined || name === GLOBAL) return given;
  const cells = (await topology.cells({ signal })).map((cell) => cell.name);
  const path = withLocalCell(word, cells, io.env);
  return scope === undefined ? { scope: path.split('/')[2] ?? GLOBAL, path } : { scope, path };
}

/** `stat --native`: what the store says of one node, word by word. */
export function nativeStat(flags: Flags, io: Io, signal: AbortSignal): Promise<Exit> {
  return lookNative(flags, io, signal, async ({ store, path }) => {
    const node = await readNode(store, path, signal);
    if (flags['output'] === 'json') {
      io.out(
        json({ store: store.store, path: node.path, size: node.bytes?.byteLength ?? null, ...node.words }),
      );
      return;
    }
    const rows = Object.entries(node.words);
    const width = Math.max('bytes'.length, ...rows.map(([word]) => word.length));
    io.out(io.colors.bold(printable(node.path)));
    for (const [word, value] of [['bytes', sizeOf(node)] as const, ...rows])
      io.out(`  ${word.padEnd(width)}  ${valueText(value)}`);
    io.out(io.colors.dim(store.store));
  });
}

/** `cat --native`: the bytes of one node. */
export function nativeCat(flags: Flags, io: Io, signal: AbortSignal): Promise<Exit> {
  return lookNative(flags, io, signal, async ({ store, path }) => {
    const { bytes, words, path: at } = await readNode(store, path, signal);
    if (flags['output'] === 'json')
      io.out(json({ store: store.store, path: at, record: bytes ?? undefined, ...words }));
    else if (bytes !== null) io.outBytes(bytes);
  });
}

/** One node. NoNode, also for what is only the beginning of longer keys, which is said then. */
async function readNode(store: NativeStore, path: string, signal: AbortSignal): Promise<NativeNode> {
  try {
    return await store.read(path, { signal });
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.NoNode)) throw error;
    const below = await store.list(path, { signal }).catch(() => []);
    if (below.length === 0) throw error;
    throw new TopologyError(ErrorCode.NoNode, 'this is only the beginning of longer keys', {
      path,
      store: store.store,
      hint: 'ls --native lists them',
      cause: error,
    });
  }
}

/** `12 bytes`, or that there are none. */
function sizeOf({ bytes }: Pick<NativeNode, 'bytes'>): string {
  return bytes === null ? 'none' : count(bytes.byteLength, 'byte');
}

/** A word's value on one line. */
export function valueText(value: NativeWords[string]): string {
  return printable([value].flat().join(', '));
}
