import type { NativeEntry, NativeNode } from '../topo/native.js';
import { nameTest } from '../topo/wildcards.js';
import type { Exit } from './exit.js';
import { type Flags, text } from './flags.js';
import { type Io, json, table } from './io.js';
import { printable } from './lists.js';
import { lookNative, type NativePlace, valueText } from './native.js';

/** `ls --native`: names, with `--long` what the store says of each. */
export function nativeLs(flags: Flags, io: Io, signal: AbortSignal): Promise<Exit> {
  return lookNative(flags, io, signal, async (place) => {
    const { store, path } = place;
    const entries = await store.list(path, { signal });
    // What has nothing below it lists itself, as with ls(1); what is not there is NoNode.
    const itself = entries.length === 0 ? [itselfOf(await store.read(path, { signal }))] : entries;
    const asJson = flags['output'] === 'json';
    if (flags['long'] !== true && !asJson) {
      for (const entry of itself) io.out(nameText(entry));
      return;
    }
    const nodes: readonly Shown[] = flags['long'] === true ? await readAll(place, itself) : itself;
    if (asJson) io.out(json(nodes.map(({ name: _, bytes, ...shown }) => ({ ...shown, ...sized(bytes) }))));
    else for (const line of longLines(io, nodes)) io.out(line);
  });
}

interface Shown extends NativeEntry, Partial<Pick<NativeNode, 'bytes' | 'words'>> {}

function itselfOf({ path }: NativeNode): NativeEntry {
  return { name: path, path, node: true };
}

/** Reads so many at a time. */
const TOGETHER = 64;

async function readAll({ store, signal }: NativePlace, entries: readonly NativeEntry[]): Promise<Shown[]> {
  const read: Shown[] = [];
  for (let at = 0; at < entries.length; at += TOGETHER) {
    const part = entries.slice(at, at + TOGETHER);
    read.push(
      ...(await Promise.all(
        part.map(async (entry) =>
          entry.node ? { ...entry, ...(await store.read(entry.path, { signal })) } : entry,
        ),
      )),
    );
  }
  return read;
}

function longLines(io: Io, nodes: readonly Shown[]): string[] {
  const words = Object.keys(nodes.find((node) => node.words !== undefined)?.words ?? {});
  const rows = nodes.map((node) => [
    ...words.map((word) => (node.words?.[word] === undefined ? '-' : valueText(node.words[word]))),
    nameText(node),
  ]);
  return table(io, [...words, 'name'], rows).split('\n');
}

/** A slash for what is no more than the beginning of longer keys. */
function nameText({ name, node }: NativeEntry): string {
  return node ? printable(name === '' ? '""' : name) : `${printable(name)}/`;
}

function sized(bytes: Uint8Array | null | undefined): { readonly size?: number | null } {
  if (bytes === undefined) return {};
  return { size: bytes?.byteLength ?? null };
}

/** A place in the tree of what is there. */
interface Branch {
  readonly children: Map<string, Branch>;
  /** Undefined: the beginning of longer paths and no more. */
  size: number | null | undefined;
  isCut: boolean;
}

/** `tree --native`: everything below a path, with sizes. */
export function nativeTree(flags: Flags, io: Io, signal: AbortSignal): Promise<Exit> {
  return lookNative(flags, io, signal, async ({ store, path }) => {
    const depth = flags['depth'] === undefined ? Number.POSITIVE_INFINITY : Number(flags['depth']);
    const root = newBranch();
    const top = path === '' || path.endsWith('/') ? path : `${path}/`;
    let found = false;
    for await (const nodes of store.walk(path, { signal }))
      for (const node of nodes) {
        found = true;
        grow(root, node.path.slice(top.length).split('/'), depth, node.bytes?.byteLength ?? null);
      }
    if (!found) root.size = (await store.read(path, { signal })).bytes?.byteLength ?? null;
    if (flags['output'] === 'json') {
      io.out(json({ store: store.store, path, tree: plainTree(root) }));
      return;
    }
    io.out(`${io.colors.bold(printable(path))} ${io.colors.dim(store.store)}`);
    for (const line of treeLines(io, root, '')) io.out(line);
  });
}

function newBranch(): Branch {
  return { children: new Map(), size: undefined, isCut: false };
}

function grow(root: Branch, segments: readonly string[], depth: number, size: number | null): void {
  let at = root;
  for (const segment of segments.slice(0, depth)) {
    const child = at.children.get(segment) ?? newBranch();
    at.children.set(segment, child);
    at = child;
  }
  if (segments.length > depth) at.isCut = true;
  else at.size = size;
}

function* treeLines(io: Io, { children }: Branch, indent: string): Generator<string> {
  let left = children.size;
  for (const [name, child] of children) {
    left -= 1;
    yield `${indent}${left === 0 ? '└── ' : '├── '}${branchText(io, name, child)}`;
    yield* treeLines(io, child, `${indent}${left === 0 ? '    ' : '│   '}`);
  }
}

function branchText(io: Io, name: string, { size, isCut }: Branch): string {
  const shown = printable(name === '' ? '""' : name);
  const cut = isCut ? io.colors.dim(' …') : '';
  if (size === undefined) return `${io.colors.blue(`${shown}/`)}${cut}`;
  return `${shown} ${io.colors.dim(size === null ? '(no data)' : `(${size} B)`)}${cut}`;
}

function plainTree({ children, size, isCut }: Branch): unknown {
  return {
    ...(size === undefined ? {} : { size }),
    ...(isCut ? { cut: true } : {}),
    children: Object.fromEntries([...children].map(([name, child]) => [name, plainTree(child)])),
  };
}

/** `find --native`: the path of everything below one, or of what has a name like `--name`. */
export function nativeFind(flags: Flags, io: Io, signal: AbortSignal): Promise<Exit> {
  const pattern = text(flags, 'name');
  const matches = pattern === undefined ? () => true : nameTest(pattern);
  return lookNative(flags, io, signal, async ({ store, path }) => {
    const all: unknown[] = [];
    for await (const nodes of store.walk(path, { signal }))
      for (const node of nodes) {
        if (!matches(node.path.slice(node.path.lastIndexOf('/') + 1))) continue;
        const found = { path: node.path, ...sized(node.bytes), ...node.words };
        if (flags['output'] === 'json') all.push(found);
        else io.out(flags['output'] === 'jsonl' ? JSON.stringify(found) : printable(node.path));
      }
    if (flags['output'] === 'json') io.out(json(all));
  });
}
