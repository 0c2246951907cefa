import type { Note } from './told.js';

/**
 * Tablets that have one number in several cells. MySQL takes it for its server id, so no two tablets of a topology may share one; the old forms could
 * not keep them apart but by their cells.
 */
export function sharedNumbers(aliases: Iterable<string>): Note[] {
  const byNumber = new Map<number, string[]>();
  for (const alias of aliases) {
    const uid = Number(alias.slice(alias.lastIndexOf('-') + 1));
    byNumber.set(uid, [...(byNumber.get(uid) ?? []), alias]);
  }
  return [...byNumber.values()].flatMap((same): Note[] => {
    const [first = ''] = same;
    if (same.length === 1) return [];
    return [
      {
        path: `tablets/${first}/Tablet`,
        field: 'alias',
        text: `the tablets ${same.join(', ')} have one number`,
      },
    ];
  });
}
