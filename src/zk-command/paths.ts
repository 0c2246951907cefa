import { posix } from 'node:path';
import { hasWildcard, nameTest } from '../topo/wildcards.js';
import { usage } from './error.js';
import { joinZnode, unlessAbsent, type Znodes } from './znodes.js';

/** The path of a znode as a person may write it: with a slash at its end, or two in a row. Usage for one that is not absolute. */
export function fixPath(word: string): string {
  if (!word.startsWith('/'))
    throw usage(`${word}: a path of ZooKeeper begins with a slash`, 'for example /vitess/global');
  return posix.normalize(word).replace(/(.)\/+$/, '$1');
}

/**
 * Real paths for paths with wildcards, in order. One without is taken as it is, whether it exists or not; one with wildcards
 * that nothing matches gives nothing.
 */
export async function resolve(znodes: Znodes, words: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const word of words) {
    const path = fixPath(word);
    if (hasWildcard(path)) found.push(...(await expand(znodes, '/', path.split('/').slice(1))));
    else found.push(path);
  }
  return found;
}

async function expand(znodes: Znodes, at: string, [part, ...rest]: readonly string[]): Promise<string[]> {
  if (part === undefined) return (await znodes.stat(at)) === undefined ? [] : [at];
  if (!hasWildcard(part)) return expand(znodes, joinZnode(at, part), rest);
  const matches = nameTest(part);
  const names = (await unlessAbsent(znodes.children(at)))?.names ?? [];
  const found: string[] = [];
  for (const name of names.filter(matches)) found.push(...(await expand(znodes, joinZnode(at, name), rest)));
  return found;
}

/** Does the same with each path; what goes wrong with one is told, and does not keep from the others. Fails with the first failure. */
export async function forEachPath(
  name: string,
  paths: readonly string[],
  warn: (text: string) => void,
  work: (path: string) => Promise<void>,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  for (const path of paths) {
    try {
      await work(path);
    } catch (error) {
      if (paths.length === 1) throw error;
      failure ??= { error };
      warn(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (failure !== undefined) throw failure.error;
}
