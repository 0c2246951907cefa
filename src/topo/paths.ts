import { ErrorCode, TopologyError } from './errors.js';

/**
 * Checks a path by the rules of {@link Connection} and gives it back. InvalidPath otherwise.
 * `''`, the root directory, passes only where a directory is meant.
 */
export function checkPath(path: string, kind: 'record' | 'directory', store?: string): string {
  const problem = pathProblem(path, kind);
  if (problem !== undefined)
    throw new TopologyError(ErrorCode.InvalidPath, `invalid path: ${problem}`, { path, store });
  return path;
}

function pathProblem(path: string, kind: 'record' | 'directory'): string | undefined {
  if (path === '') return kind === 'directory' ? undefined : 'the root is a directory, not a record';
  if (path.includes('\0')) return 'NUL character';
  if (!path.isWellFormed()) return 'not well-formed Unicode';
  // What almost every path is: looked at without taking it apart.
  if (!SUSPICIOUS.test(path)) return undefined;
  for (const segment of path.split('/')) {
    if (segment === '')
      return path.startsWith('/') ? 'leading slash' : path.endsWith('/') ? 'trailing slash' : 'empty segment';
    if (segment === '.' || segment === '..') return `segment ${segment}`;
  }
  return undefined;
}

/** An empty segment, or one that begins with a dot. */
const SUSPICIOUS = /^[/.]|\/[/.]|\/$/;

/** Joins segments, leaving out empty ones. */
export function joinPath(...segments: string[]): string {
  let joined = '';
  for (const segment of segments)
    if (segment !== '') joined = joined === '' ? segment : `${joined}/${segment}`;
  return joined;
}

/** The directory of a path; `''` for a path of one segment. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** The last segment. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** All directories above a path, nearest last, without the root. */
export function ancestors(path: string): string[] {
  const found: string[] = [];
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
    found.push(path.slice(0, slash));
  return found;
}

/** Whether `path` lies below the directory `prefix`, by whole segments: `zone10/x` is not below `zone1`. */
export function isBelow(path: string, prefix: string): boolean {
  if (prefix === '') return path !== '';
  return path.length > prefix.length && path.startsWith(prefix) && path[prefix.length] === '/';
}

/** Order of the UTF-8 bytes, which JavaScript's own order of UTF-16 units is not beyond U+FFFF. */
export function compareBytewise(a: string, b: string): number {
  // Two stores that are compared hold the same paths nearly everywhere.
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) {
      // Surrogates stand for code points above all others: move them behind the range E000–FFFF.
      x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
      y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}
