import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';

/** A place in a migration file: 1-based line and column. */
export interface Position {
  readonly line: number;
  readonly col: number;
}

/** An error of a migration file, `FILE:LINE:COLUMN: what`. Usage. What the file says at that place is not in it. */
export function problem(file: string, at: Position, message: string, hint?: string): TopologyError {
  return new TopologyError(ErrorCode.Usage, `${file}:${at.line}:${at.col}: ${message}`, {
    hint: hint ?? 'docs/migration-file.md says what a migration file can hold',
  });
}

/** Runs `work`; its error is one of the file at that place, about `subject`. */
export function about<T>(file: string, at: Position, subject: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    throw problem(file, at, `${subject}: ${error.message}`, error.hint);
  }
}

/** The word that was meant by one that is unknown; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_]/g, '');
  const ranked = known
    .map((each) => ({ each, distance: editDistance(plain(word), plain(each)) }))
    .sort((a, b) => a.distance - b.distance);
  const [first] = ranked;
  return first !== undefined && first.distance <= Math.max(1, Math.floor(word.length / 3))
    ? first.each
    : undefined;
}

/** Characters to insert, remove or replace until one word is the other. */
function editDistance(a: string, b: string): number {
  let row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
