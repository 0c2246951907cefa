import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { listFields } from '../topo/fields.js';
import type { Kind } from '../topo/kinds.js';
import { messageOf, rawForm } from './forms.js';
import { type PlacedRecord, type Scope, type Selection, selectedRecords } from './records.js';

/** A record in which something matches. */
export interface Matched {
  readonly scope: string;
  readonly path: string;
  readonly kind: Kind;
  readonly matches: readonly Match[];
}

/** One match. */
export interface Match {
  /** Path of the field, `line 3` of a text; undefined: somewhere in bytes that are no text. */
  readonly field?: string;
  /** The whole value, or line. */
  readonly value?: string;
}

/** A record that does not decode: it is searched as bytes. */
export interface Undecoded {
  readonly scope: string;
  readonly path: string;
  readonly problem: string;
}

/** A regular expression. Usage when it is none. */
export function searchPattern(pattern: string, ignoreCase: boolean): RegExp {
  try {
    return new RegExp(pattern, ignoreCase ? 'iu' : 'u');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TopologyError(ErrorCode.Usage, reason, {
      hint: 'the pattern is a regular expression of JavaScript: put a backslash before . * + ? ( ) [ ] { } | ^ $ that mean themselves',
    });
  }
}

/**
 * Searches the values of decoded records, field by field: a field matches when its value does, or its path and value as
 * they are shown, `hostname: "db1"`. Raw bytes are searched line by line where they are text, and so are records that do not
 * decode, of which `undecoded` is told.
 */
export async function* grepIn(
  scopes: readonly Scope[],
  pattern: RegExp,
  selection: Selection,
  options: CallOptions & { readonly undecoded: (record: Undecoded) => void },
): AsyncGenerator<Matched, void> {
  for (const scope of scopes) {
    for await (const record of selectedRecords(scope, selection, options)) {
      const matches = matchesIn(record, pattern, options.undecoded);
      if (matches.length > 0) yield { scope: scope.scope, path: record.path, kind: record.kind, matches };
    }
  }
}

function matchesIn(record: PlacedRecord, pattern: RegExp, undecoded: (record: Undecoded) => void): Match[] {
  const message = messageOf(record.scope, record);
  if (message === null) return matchesInBytes(record.bytes, pattern);
  const problem = record.told?.unreadable?.sentence;
  if (problem !== undefined) {
    undecoded({ scope: record.scope, path: record.path, problem });
    return matchesInBytes(record.bytes, pattern);
  }
  try {
    return listFields(message, record.bytes).flatMap(({ path, shown, text }) =>
      pattern.test(text) || pattern.test(`${path}: ${shown}`) ? [{ field: path, value: shown }] : [],
    );
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Corrupt)) throw error;
    undecoded({ scope: record.scope, path: record.path, problem: error.message });
    return matchesInBytes(record.bytes, pattern);
  }
}

function matchesInBytes(bytes: Uint8Array, pattern: RegExp): Match[] {
  const raw = rawForm(bytes);
  if (!('text' in raw)) return pattern.test(Buffer.from(bytes).toString('utf8')) ? [{}] : [];
  return raw.text
    .split(/\r?\n/)
    .flatMap((line, index) => (pattern.test(line) ? [{ field: `line ${index + 1}`, value: line }] : []));
}
