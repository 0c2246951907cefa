import type { CallOptions } from '../topo/connection.js';
import type { Kind } from '../topo/kinds.js';
import { ancestors, baseName, isBelow } from '../topo/paths.js';
import { type NameTest, nameTest, pathTest } from '../topo/wildcards.js';
import { type Scope, type Selection, selectedRecords } from './records.js';

/** What to find; every condition that is given has to hold. */
export interface Wanted extends Selection {
  /** `file`: records; `directory`: the directories that records are in. */
  readonly type: 'file' | 'directory';
  /** Pattern of the last segment. */
  readonly name?: string | undefined;
  /** Pattern of the whole path, with `**`. */
  readonly pathPattern?: string | undefined;
  readonly ephemeral?: boolean | undefined;
  /** Records of no bytes. */
  readonly empty?: boolean | undefined;
  /** Records of more bytes than this. */
  readonly larger?: number | undefined;
}

/** What was found. The last four are of records only. */
export interface Found {
  readonly scope: string;
  readonly path: string;
  readonly kind?: Kind;
  readonly size?: number;
  readonly version?: string;
  readonly ephemeral?: boolean;
}

/** Finds records, or the directories that they are in, in one store after the other, in byte order. Usage for a pattern that is none. */
export async function* findIn(
  scopes: readonly Scope[],
  wanted: Wanted,
  options: CallOptions,
): AsyncGenerator<Found, void> {
  const tests = testsOf(wanted);
  for (const scope of scopes) {
    const found =
      wanted.type === 'file' ? files(scope, wanted, options) : directories(scope, wanted, options);
    for await (const each of found) if (tests.every((test) => test(each.path))) yield each;
  }
}

function testsOf({ name, pathPattern }: Wanted): NameTest[] {
  const named = name === undefined ? undefined : nameTest(name);
  return [
    ...(named === undefined ? [] : [(path: string) => named(baseName(path))]),
    ...(pathPattern === undefined ? [] : [pathTest(pathPattern, { deep: true })]),
  ];
}

async function* files(scope: Scope, wanted: Wanted, options: CallOptions): AsyncGenerator<Found, void> {
  for await (const { path, kind, bytes, version, ephemeral } of selectedRecords(scope, wanted, options)) {
    const size = bytes.byteLength;
    if (wanted.ephemeral === true && !ephemeral) continue;
    if (wanted.empty === true && size > 0) continue;
    if (wanted.larger !== undefined && size <= wanted.larger) continue;
    yield { scope: scope.scope, path, kind, size, version: version.token, ephemeral };
  }
}

async function* directories(scope: Scope, wanted: Wanted, options: CallOptions): AsyncGenerator<Found, void> {
  let last: readonly string[] = [];
  for await (const { path } of selectedRecords(scope, wanted, options)) {
    const above = ancestors(path).filter((each) => each === wanted.path || isBelow(each, wanted.path));
    // Records come in order, so that what is in a directory comes together.
    for (const each of above) if (!last.includes(each)) yield { scope: scope.scope, path: each };
    last = above;
  }
}
