import type { FieldDifference } from '../topo/diff.js';
import type { ScanSpan } from '../topo/join.js';
import type { Kind } from '../topo/kinds.js';
import type { Loss } from '../topo/told.js';
import type { Class } from './classes.js';
import type { Group } from './digest.js';
import type { Selection } from './narrowing.js';

/** One field in which two records differ, and what that means. Its path begins with the kind: `shard.key_range`. */
export interface ClassedField extends FieldDifference {
  /** The path without keys and places, by which it can be ignored: `shard.tablet_controls.denied_tables`. */
  readonly rule: string;
  readonly class: Class;
  /** Running processes change it on their own. */
  readonly moves?: true | undefined;
}

/** Where a difference is. */
export interface DifferencePlace {
  readonly scope: string;
  readonly path: string;
  readonly kind: Kind;
  /** Keyspace that the record belongs to, where it belongs to one. */
  readonly keyspace?: string | undefined;
}

/**
 * How two stores differ at one path. `missing`: only the source has it; `extra`: only the destination has it;
 * `different`: the decoded fields differ, or the bytes of a record that has no fields.
 */
export interface Difference extends DifferencePlace {
  readonly type: 'missing' | 'extra' | 'different';
  /** The worst of its fields, or that of the rule. */
  readonly class: Class;
  /** Field by field, where both decode; empty otherwise. */
  readonly fields: readonly ClassedField[];
  /** What the record as a whole breaks: `tablet.missing`. Absent: the fields say all. */
  readonly rule?: string | undefined;
  /** With such a rule: running processes make and delete such records on their own. */
  readonly moves?: true | undefined;
  /** Whether each side holds another record than the baseline; absent: there is no baseline. */
  readonly since?: { readonly source: boolean; readonly destination: boolean } | undefined;
  /** Versions of what was compared, in the words of each store; absent: a side has no record there. */
  readonly versions?: Readonly<Partial<Record<'source' | 'destination', string | undefined>>> | undefined;
  /** What there is to say beyond the fields: sizes of raw contents, why a record does not decode … */
  readonly detail?: string | undefined;
}

/** A record that is equal in meaning, or differs as it must. */
export interface Note extends DifferencePlace {
  /**
   * `encoding`: other bytes, same fields. `address`: CellInfo with the address at which the destination's part of the cell
   * was read. `elsewhere`: CellInfo with another one, since the caller gave the address to read at; not checked.
   */
  readonly type: 'encoding' | 'address' | 'elsewhere';
  readonly class: Extract<Class, 'benign' | 'expected'>;
  readonly fields: readonly FieldDifference[];
}

/** A value that has no place in the form of the other store. */
export interface LostValue extends Loss {
  readonly scope: string;
  /** Of the record; absent: it is no record today. */
  readonly record?: Kind | undefined;
  /** `expected`: its kind was accepted. */
  readonly class: Extract<Class, 'expected' | 'loss'>;
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
  /** Differences of which all was ignored. */
  ignored: number;
  different: number;
  missing: number;
  extra: number;
  notCompared: number;
}

/** One side of a part. */
export interface ReadStore {
  readonly store: string;
  readonly span: ScanSpan;
  /** Its identity as one line, where digests were asked for; absent: the side does not have this part. */
  readonly identity?: string | undefined;
}

/** What was compared in one scope. */
export interface ScopeReport {
  readonly scope: string;
  readonly source: ReadStore;
  readonly destination: ReadStore;
  readonly counts: ReadonlyMap<Kind, VerifiedCounts>;
  /** Digests of what both sides hold, where they were asked for. */
  readonly groups?: readonly Group[] | undefined;
}

/** The outcome of a verification. */
export interface VerifyReport {
  readonly scopes: readonly ScopeReport[];
  /** By scope, keyspace, kind and path. */
  readonly differences: readonly Difference[];
  /** What was ignored of differences, whole or in part. */
  readonly ignored: readonly Difference[];
  readonly notes: readonly Note[];
  /** Values that only one side can hold. */
  readonly losses: readonly LostValue[];
  readonly notCompared: readonly NotCompared[];
  /** What it was narrowed to; absent: it was of everything. */
  readonly selection?: Selection | undefined;
  /** Records compared on both sides. */
  readonly compared: number;
  /** The worst class of all that was found and not ignored. */
  readonly worst: Class;
  /** True when something was compared, nothing differs, nothing had to be ignored, and nothing is lost that was not accepted. */
  readonly equal: boolean;
}
