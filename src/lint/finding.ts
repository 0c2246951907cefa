import type { Finding } from '../topo/finding.js';
import { GLOBAL } from '../topo/topology.js';
import type { Severity } from './table/row.js';
import { FINDINGS, type FindingId } from './table.js';

/** Something that is wrong within one topology, or worth knowing. */
export interface LintFinding extends Finding<Severity, FindingId> {
  /** In place of `todo` in a store of a retired format; undefined: that is right there, too. */
  readonly old?: string | undefined;
}

/** Where something was found, and the names that the way out of it needs. */
export interface Where {
  /** Default: the global store. */
  readonly scope?: string | undefined;
  readonly path?: string | undefined;
  readonly keyspace?: string | undefined;
  readonly shard?: string | undefined;
  readonly cell?: string | undefined;
  readonly tablet?: string | undefined;
  readonly alias?: string | undefined;
}

/** A finding by its row of the table; a `severity` other than the row's is for this one. */
export function found(
  id: FindingId,
  where: Where,
  what: string,
  severity: Severity = FINDINGS[id].severity,
): LintFinding {
  const { scope = GLOBAL, path } = where;
  const { why, todo, old } = FINDINGS[id];
  const both = { todo: filled(todo, where), ...(old === undefined ? {} : { old: filled(old, where) }) };
  return { severity, id, scope, path, what, why, ...both };
}

/** Fills in what is known; a word that nothing is known for stays, for a person to fill in. */
function filled(todo: string, { scope = GLOBAL, path, ...names }: Where): string {
  const words: Readonly<Record<string, string | undefined>> = {
    'SCOPE:PATH': path === undefined ? undefined : `${scope}:${path}`,
    PATH: path,
    KEYSPACE: names.keyspace,
    SHARD: names.shard,
    CELL: names.cell,
    TABLET: names.tablet,
    ALIAS: names.alias,
  };
  return todo.replace(/\b(SCOPE:PATH|PATH|KEYSPACE|SHARD|CELL|TABLET|ALIAS)\b/g, (word) => {
    const known = words[word];
    return known === undefined ? word : quoted(known);
  });
}

/** As a shell takes it for one word. */
export function quoted(name: string): string {
  return /^[\w./:@%+=,-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}
