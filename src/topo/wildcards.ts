import { ErrorCode, TopologyError } from './errors.js';

/** Whether a path, or a segment of one, is a pattern: it has `*`, `?` or `[` in it, not behind a backslash. */
export function hasWildcard(path: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/su.test(path);
}

/** Tells which names a pattern means. */
export type NameTest = (name: string) => boolean;

/**
 * A pattern for one segment, as Go's path.Match, which Vitess uses, takes it: `*` for any characters, `?` for any one,
 * `[a-z]` and `[^a-z]` for one of some, a backslash before what is meant itself. Usage for a pattern that is none.
 */
export function nameTest(pattern: string): NameTest {
  const matcher = new RegExp(`^${segmentSource(pattern)}$`, 'su');
  return (name) => matcher.test(name);
}

/** A pattern for whole paths, segment by segment. With `deep`, a segment `**` stands for any number of segments, none included. Usage. */
export function pathTest(pattern: string, { deep = false } = {}): NameTest {
  const segments = pattern.replace(/^\/+|\/+$/g, '').split('/');
  const sources = segments.map((segment, index) => {
    const isLast = index === segments.length - 1;
    if (deep && segment === '**') return isLast ? '.*' : '(?:[^/]+/)*';
    const source = hasWildcard(segment) ? segmentSource(segment) : [...segment].map(literal).join('');
    return `${source}${isLast ? '' : '/'}`;
  });
  const matcher = new RegExp(`^${sources.join('')}$`, 'su');
  return (path) => matcher.test(path);
}

function segmentSource(pattern: string): string {
  const parts = pattern.match(TOKENS) ?? [];
  if (parts.join('') !== pattern) throw malformed(pattern);
  return parts.map((part) => sourceOf(part, pattern)).join('');
}

/** A set, an escaped character, or any one but what begins one of these. */
const TOKENS = /\[(?:\^|(?!\^))(?:(?:\\.|[^\\\]-])(?:-(?:\\.|[^\\\]-]))?)+\]|\\.|[^\\[]/gsu;

function sourceOf(part: string, pattern: string): string {
  if (part === '*') return '[^/]*';
  if (part === '?') return '[^/]';
  if (part.startsWith('[')) return setSource(part, pattern);
  return literal(part.startsWith('\\') ? part.slice(1) : part);
}

function setSource(set: string, pattern: string): string {
  const negated = set.startsWith('[^');
  const ranges = set.slice(negated ? 2 : 1, -1).match(/(?:\\.|[^\\])(?:-(?:\\.|[^\\]))?/gsu) ?? [];
  const sources = ranges.map((range) => {
    const ends = (range.match(/\\.|[^\\]/gsu) ?? []).map((end) => end.replace(/^\\/u, ''));
    const [low = '', dash, high] = ends;
    if (dash !== '-' || high === undefined) return literal(low);
    if ((low.codePointAt(0) ?? 0) > (high.codePointAt(0) ?? 0)) throw malformed(pattern);
    return `${literal(low)}-${literal(high)}`;
  });
  // Go's sets never take a slash, since segments have none.
  return negated ? `[^/${sources.join('')}]` : `[${sources.join('')}]`;
}

function literal(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function malformed(pattern: string): TopologyError {
  return new TopologyError(ErrorCode.Usage, `${JSON.stringify(pattern)} is not a pattern`, {
    hint: 'wildcards are *, ? and [a-z]; write [*] for a character itself',
  });
}
