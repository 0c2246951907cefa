import type { Changed } from './followers.js';
import type { Contents } from './tree.js';

/** What is not as it was before. Entries of records that are as they were take the places of those that were read. */
export function differencesOf(before: Contents, now: Contents): readonly Changed[] {
  if (before.isEmpty) return now.all();
  const differences: Changed[] = [];
  for (const { scope, path, entry } of now.all()) {
    const old = before.tree(scope).get(path);
    if (old?.sameAs(entry)) now.tree(scope).set(path, old);
    else differences.push({ scope, path, entry });
  }
  for (const { scope, path } of before.all())
    if (now.tree(scope).get(path) === undefined) differences.push({ scope, path, entry: undefined });
  return differences;
}
