import type { CallOptions, Connection, StoredRecord } from '../topo/connection.js';
import { find } from '../topo/find.js';
import { joinPath } from '../topo/paths.js';
import { hasWildcard, nameTest, pathTest } from '../topo/wildcards.js';
import { ahead } from './ahead.js';
import { namesIn, stateOf, WIDE } from './entries.js';
import { nothingMatches } from './nearby.js';

/**
 * Paths that a pattern with wildcards can mean, in the order of their names. Names that a wildcard stands for exist;
 * what is written out behind the last of them may not. Usage for a pattern that is none.
 */
export async function candidates(
  store: Connection,
  pattern: string,
  options: CallOptions,
): Promise<string[]> {
  return (await expand(store, pattern, options)) ?? (await scanned(store, pattern, options));
}

/**
 * All records at the paths that a pattern means, in order. A path without wildcards is read as it is: NoNode when
 * there is no record. Where a pattern means many paths, they are read as a whole.
 */
export async function* matchingRecords(
  store: Connection,
  pattern: string,
  options: CallOptions,
): AsyncGenerator<StoredRecord, void> {
  if (!hasWildcard(pattern)) {
    yield { path: pattern, ...(await store.get(pattern, options)) };
    return;
  }
  const paths = await expand(store, pattern, options);
  if (paths !== undefined && paths.length <= WIDE) {
    const read = async (path: string) => ({ path, value: await find(store, path, options) });
    for await (const { path, value } of ahead(paths, read)) if (value !== undefined) yield { path, ...value };
    return;
  }
  const fits = pathTest(pattern);
  for await (const { records } of store.scan(fixedPart(pattern), options))
    for (const record of records) if (fits(record.path)) yield record;
}

/** The paths at which there is something that a pattern means, in order. NoNode, with what is there, when there is none; Usage. */
export async function existing(store: Connection, pattern: string, options: CallOptions): Promise<string[]> {
  const read = (path: string) => stateOf(store, path, options);
  const found: string[] = [];
  for await (const state of ahead(await candidates(store, pattern, options), read))
    if (state !== undefined) found.push(state.path);
  if (found.length === 0) throw await nothingMatches(store, pattern, fixedPart(pattern), options);
  return found;
}

/** Segment by segment; undefined: through too many directories to look into each. */
async function expand(
  store: Connection,
  pattern: string,
  options: CallOptions,
): Promise<string[] | undefined> {
  let paths = [''];
  const segments = pattern.split('/').map((segment) => ({
    segment,
    test: hasWildcard(segment) ? nameTest(segment) : undefined,
  }));
  for (const { segment, test } of segments) {
    if (test === undefined) {
      paths = paths.map((path) => joinPath(path, segment));
      continue;
    }
    if (paths.length > WIDE) return undefined;
    const below: string[] = [];
    const read = async (path: string) => ({ path, names: await namesIn(store, path, options) });
    for await (const { path, names = [] } of ahead(paths, read))
      below.push(...names.filter(test).map((name) => joinPath(path, name)));
    paths = below;
  }
  return paths;
}

/** From all records below the part without wildcards: each path of the pattern's length that leads to one. */
async function scanned(store: Connection, pattern: string, options: CallOptions): Promise<string[]> {
  const length = pattern.split('/').length;
  const fits = pathTest(pattern);
  const found = new Set<string>();
  for await (const { records } of store.scan(fixedPart(pattern), options)) {
    for (const { path } of records) {
      const segments = path.split('/');
      if (segments.length >= length) found.add(segments.slice(0, length).join('/'));
    }
  }
  return [...found].filter(fits);
}

/** The directory above the first wildcard. */
export function fixedPart(pattern: string): string {
  const segments = pattern.split('/');
  const first = segments.findIndex(hasWildcard);
  return segments.slice(0, first < 0 ? -1 : first).join('/');
}
