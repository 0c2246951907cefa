import type { JsonObject } from '../topo/codec-json.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { classify, recordFileName } from '../topo/kinds.js';
import { type RecordParts, recordParts } from '../topo/parts.js';
import { ancestors } from '../topo/paths.js';
import { NAME_RULES, RULES, type RuleId, type Whose } from './rules.js';
import { storeKind, type Target } from './target.js';

/** Something that Vitess takes for wrong. */
export interface Problem {
  readonly text: string;
  /** What to do instead. */
  readonly hint?: string;
  /** Counts for a record that is there already, too. */
  readonly always?: true;
}

/** Something that Vitess takes for wrong in the bytes of a record. */
export interface RecordProblem extends Problem {
  /** Which rule says so. */
  readonly rule: RuleId | 'undecodable' | 'listed-twice';
}

/** What is wrong with the bytes of a record, whatever was there before. Pure. */
export function recordProblems(message: string, bytes: Uint8Array, whose: Whose): RecordProblem[] {
  return examineRecord(message, bytes, whose).problems;
}

/** {@link recordProblems}, and the record itself; undefined: it does not decode. Pure. */
export function examineRecord(
  message: string,
  bytes: Uint8Array,
  whose: Whose,
): { readonly json: JsonObject | undefined; readonly problems: RecordProblem[] } {
  const read = readParts(message, bytes);
  if (typeof read === 'string') return { json: undefined, problems: [{ rule: 'undecodable', text: read }] };
  const found = read.parts.flatMap(({ message: part, path, json }) =>
    (RULES[part] ?? []).flatMap(({ id, find }) =>
      [find(json, whose) ?? []]
        .flat()
        .map((finding) => ({ rule: id, text: path === '' ? finding : `${path}: ${finding}` })),
    ),
  );
  const twice = read.twice.map((element) => ({
    rule: 'listed-twice' as const,
    text: `${element} is there twice: readers differ in which one counts`,
  }));
  return { json: read.parts[0]?.json, problems: [...found, ...twice] };
}

function readParts(message: string, bytes: Uint8Array): RecordParts | string {
  try {
    return recordParts(message, bytes, (part) => Object.hasOwn(RULES, part));
  } catch (error) {
    if (isTopologyError(error, ErrorCode.Corrupt)) return error.message;
    throw error;
  }
}

/** What is wrong with a path itself, by the names in it and the store that it is in. Pure. */
export function pathProblems({
  scope,
  path,
  row,
  names,
}: Pick<Target, 'scope' | 'path' | 'row' | 'names'>): Problem[] {
  const found: Problem[] = Object.entries(names).flatMap(([what, name]) => {
    const finding = NAME_RULES[what]?.(name);
    return finding === undefined ? [] : [{ text: `${what}: ${finding}` }];
  });
  if (row.kind === 'CellInfo')
    found.push({
      text: 'the address of a cell is changed by commands that look whether it answers and whose data lies there',
      hint: 'use topo2topo cell add or cell update',
      always: true,
    });
  if (row.kind !== 'Unknown') return found;
  const [here, there] = scope === 'global' ? (['global', 'cell'] as const) : (['cell', 'global'] as const);
  const elsewhere = classify(there, path, false).kind;
  if (elsewhere !== 'Unknown')
    found.push({
      text: `no ${elsewhere} is kept in ${here === 'global' ? 'the global store' : 'a cell’s store'}, where nobody would read this`,
      hint: there === 'global' ? 'leave out --cell' : 'name the cell with --cell',
    });
  const file = ancestors(path).find(recordFileName);
  if (file !== undefined) found.push({ text: `${file} is a record, and nothing can be below it` });
  // Vitess reads by prefix: whatever begins so is decoded as a Tablet.
  if (storeKind(scope) === 'cell' && path.startsWith('tablets') && elsewhere === 'Unknown')
    found.push({ text: 'Vitess reads everything there as a Tablet' });
  return found;
}
