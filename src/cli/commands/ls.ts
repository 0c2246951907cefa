import { ahead } from '../../looking/ahead.js';
import { type Entry, entriesIn, entryOf, namesIn, stateOf } from '../../looking/entries.js';
import { candidates, fixedPart } from '../../looking/matches.js';
import { noDirectoryAt, nothingAt, nothingMatches } from '../../looking/nearby.js';
import { type Listing, listAll } from '../../looking/recursive.js';
import type { Connection } from '../../topo/connection.js';
import { GLOBAL } from '../../topo/topology.js';
import { hasWildcard } from '../../topo/wildcards.js';
import { type Command, letterFlags } from '../command.js';
import { Exit } from '../exit.js';
import { type Flags, usage } from '../flags.js';
import { type Io, json, outLines } from '../io.js';
import { LOOK_FLAGS, LOOK_WORDS, lookAt, storeOf } from '../looking.js';
import { entryLines, type NamedEntry, nameLines } from '../ls-text.js';

export const lsCommand: Command = {
  command: 'ls [address] [path]',
  describe: 'list a directory, or all that a pattern matches',
  words: LOOK_WORDS,
  flags: [...LOOK_FLAGS, ...letterFlags({ long: 'l', directory: 'd', recursive: 'R' })],
  examples: [
    ['$0 ls zk2://zk1:2181/vitess/global keyspaces', 'names, one a line'],
    ["$0 ls -l zk2://zk1:2181/vitess/global 'keyspaces/*/shards'", 'several directories, in detail'],
    ["$0 ls -d zk2://zk1:2181/vitess/global 'zone1:tablets/zone1-00000001*'", 'tablets of a cell'],
  ],
  async run(flags: Flags, io: Io, signal: AbortSignal) {
    if (flags['directory'] === true && flags['recursive'] === true)
      throw usage('--directory and --recursive exclude one another');
    return lookAt(flags, io, signal, async ({ topology, scope = GLOBAL, path }) => {
      const look: Look = {
        io,
        store: await storeOf(topology, scope, signal),
        long: flags['long'] === true,
        asJson: flags['output'] === 'json',
        signal,
      };
      if (flags['recursive'] === true) await listRecursive(look, path);
      else if (flags['directory'] === true) await listThemselves(look, path);
      else if (hasWildcard(path)) await listMatches(look, path);
      else await listOne(look, path);
      return Exit.Ok;
    });
  },
};

/** How a listing is read and shown. */
interface Look {
  readonly io: Io;
  readonly store: Connection;
  readonly long: boolean;
  readonly asJson: boolean;
  readonly signal: AbortSignal;
}

async function listOne(look: Look, path: string): Promise<void> {
  const { io, store, signal } = look;
  const names = await namesIn(store, path, { signal });
  if (names === undefined) {
    // A record lists itself, as with ls(1).
    const state = await stateOf(store, path, { signal });
    if (state === undefined) throw await nothingAt(store, path, { signal });
    show(look, [{ path, ...(await entryOf(store, state, { signal })) }], []);
    return;
  }
  if (!look.long && !look.asJson) {
    outLines(io, nameLines(names));
    return;
  }
  const entries = await listed(look, path);
  if (look.asJson) io.out(json(entries));
  else outLines(io, entryLines(io, entries));
}

/** Only a long listing reads records. */
function listed({ store, long, signal }: Look, path: string): Promise<readonly Entry[]> {
  return long ? entriesIn(store, path, { signal }) : store.listDirFull(path, { signal });
}

async function listMatches(look: Look, pattern: string): Promise<void> {
  const { store, signal } = look;
  const paths = await candidates(store, pattern, { signal });
  const listings: Listing[] = [];
  const records: NamedEntry[] = [];
  const read = async (path: string) => {
    const names = await namesIn(store, path, { signal });
    if (names === undefined) return stateOf(store, path, { signal });
    if (look.long || look.asJson) return { path, entries: await listed(look, path) };
    return { path, entries: names.map((name) => ({ name, type: 'file' as const, ephemeral: false })) };
  };
  for await (const found of ahead(paths, read)) {
    if (found === undefined) continue;
    if ('entries' in found) listings.push(found);
    else records.push({ path: found.path, ...(await entryOf(store, found, { signal })) });
  }
  if (listings.length + records.length === 0)
    throw await nothingMatches(store, pattern, fixedPart(pattern), { signal });
  show(look, records, listings);
}

async function listThemselves(look: Look, pattern: string): Promise<void> {
  const { store, signal, io } = look;
  const paths = hasWildcard(pattern) ? await candidates(store, pattern, { signal }) : [pattern];
  const isWildcardLast = hasWildcard(pattern.slice(pattern.lastIndexOf('/') + 1));
  if (isWildcardLast && paths.length > 0 && !look.long && !look.asJson) {
    // The names were listed, so they exist: nothing more is asked.
    outLines(io, nameLines(paths));
    return;
  }
  const entries: NamedEntry[] = [];
  const read = async (path: string) => {
    const state = await stateOf(store, path, { signal });
    return state === undefined ? undefined : { path, ...(await entryOf(store, state, { signal })) };
  };
  for await (const entry of ahead(paths, read)) if (entry !== undefined) entries.push(entry);
  if (entries.length === 0) throw await nothing(store, pattern, signal);
  show(look, entries, []);
}

async function listRecursive(look: Look, pattern: string): Promise<void> {
  const { store, signal } = look;
  const listings: Listing[] = [];
  const records: NamedEntry[] = [];
  const paths = hasWildcard(pattern) ? await candidates(store, pattern, { signal }) : [pattern];
  for (const path of paths) {
    const below = await listAll(store, path, { signal });
    listings.push(...below);
    if (below.length > 0) continue;
    const state = await stateOf(store, path, { signal });
    if (state?.names !== undefined)
      listings.push({ path, entries: await entriesIn(store, path, { signal }) });
    else if (state !== undefined) records.push({ path, ...(await entryOf(store, state, { signal })) });
  }
  if (listings.length + records.length === 0) throw await nothing(store, pattern, signal);
  show(look, records, listings, true);
}

function nothing(store: Connection, pattern: string, signal: AbortSignal): Promise<Error> {
  return hasWildcard(pattern)
    ? nothingMatches(store, pattern, fixedPart(pattern), { signal })
    : noDirectoryAt(store, pattern, { signal });
}

/** Records first, then each directory under its path; a single one without. */
function show(
  { io, long, asJson }: Look,
  records: readonly NamedEntry[],
  listings: readonly Listing[],
  headed = records.length + listings.length > 1,
): void {
  if (asJson) {
    io.out(json([...records.map(({ name: _, ...entry }) => entry), ...listings.map(directoryJson)]));
    return;
  }
  const linesOf = (entries: readonly Entry[]) =>
    long ? entryLines(io, entries) : nameLines(entries.map(({ name }) => name));
  outLines(io, linesOf(records.map((entry) => ({ ...entry, name: entry.path }))));
  listings.forEach(({ path, entries }, index) => {
    if (index > 0 || records.length > 0) io.out('');
    if (headed) io.out(`${nameLines([path === '' ? '.' : path])[0]}:`);
    outLines(io, linesOf(entries));
  });
}

function directoryJson({ path, entries }: Listing) {
  return { path, type: 'directory', entries };
}
