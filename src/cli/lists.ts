import type { Io } from './io.js';

const LISTED = 10;

/** A title with the number of items, and the first of them; nothing when there are none. */
export function listLines(io: Io, title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more =
    items.length > LISTED
      ? [io.colors.dim(`    and ${items.length - LISTED} more (all with --output json)`)]
      : [];
  return [
    `  ${title}: ${items.length}`,
    ...items.slice(0, LISTED).map((item) => `    ${printable(item)}`),
    ...more,
  ];
}

/** {@link listLines} of records, one list for each reason. */
export function reasonLines(
  io: Io,
  title: string,
  records: readonly { readonly scope: string; readonly path: string; readonly reason: string }[],
): string[] {
  return [...byReason(records)].flatMap(([reason, paths]) => listLines(io, `${title}, ${reason}`, paths));
}

/** The places of records, by reason, in the order in which the reasons appear. */
export function byReason(
  records: readonly { readonly scope: string; readonly path: string; readonly reason: string }[],
): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { reason, scope, path } of records) {
    const group = groups.get(reason) ?? [];
    groups.set(reason, group);
    group.push(`${scope}:${path}`);
  }
  return groups;
}

/** A name for a terminal: control and formatting characters, which could rewrite the screen, as `\u001b`. */
export function printable(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** {@link printable} of text that may have several lines. */
export function printableText(text: string): string {
  return text
    .split(/(\r?\n|\t)/)
    .map((part, index) => (index % 2 === 0 ? printable(part) : part))
    .join('');
}
