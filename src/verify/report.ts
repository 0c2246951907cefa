import type { FieldDifference } from '../topo/diff.js';
import type { ScanSpan } from '../topo/join.js';
import type { Kind } from '../topo/kinds.js';

/**
 * How two stores differ at one path. `missing`: only the source has it; `extra`: only the destination has it;
 * `different`: the decoded fields differ, or the bytes of a record that has no fields.
 */
export interface Difference {
  readonly scope: string;
  readonly path: string;
  readonly kind: Kind;
  readonly type: 'missing' | 'extra' | 'different';
  /** Field by field, where both decode; empty otherwise. */
  readonly fields: readonly FieldDifference[];
  /** What there is to say beyond the fields: sizes of raw contents, why a record does not decode … */
  readonly detail?: string | undefined;
}

/** A record that is equal in meaning, or differs as it must. */
export interface Note {
  readonly scope: string;
  readonly path: string;
  readonly kind: Kind;
  /**
   * `encoding`: other bytes, same fields. `address`: CellInfo with the address at which the destination's part of the cell
   * was read. `elsewhere`: CellInfo with another one, since the caller gave the address to read at; not checked.
   */
  readonly type: 'encoding' | 'address' | 'elsewhere';
  readonly fields: readonly FieldDifference[];
}

/** A record that was not compared, and why. */
export interface NotCompared {
  readonly scope: string;
  readonly path: string;
  readonly kind: Kind;
  readonly side: 'source' | 'destination';
  readonly reason: string;
}

/** Counts of one kind in one scope. */
export interface VerifiedCounts {
  equal: number;
  noted: number;
  different: number;
  missing: number;
  extra: number;
  notCompared: number;
}

/** What was compared in one scope. */
export interface ScopeReport {
  readonly scope: string;
  readonly source: { readonly store: string; readonly span: ScanSpan };
  readonly destination: { readonly store: string; readonly span: ScanSpan };
  readonly counts: ReadonlyMap<Kind, VerifiedCounts>;
}

/** The outcome of a verification. */
export interface VerifyReport {
  readonly scopes: readonly ScopeReport[];
  readonly differences: readonly Difference[];
  readonly notes: readonly Note[];
  readonly notCompared: readonly NotCompared[];
  /** Records compared on both sides. */
  readonly compared: number;
  /** True when something was compared and nothing differs. */
  readonly equal: boolean;
}
