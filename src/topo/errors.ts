/**
 * The one error family. Every failure that leaves this project is a {@link TopologyError}: a stable code, the path and
 * the store it is about, whether a retry can help, and what to do next.
 */

/** Stable codes; programs may match on them. */
export const ErrorCode = {
  /** The path (or, for a listing, the directory) does not exist. */
  NoNode: 'NoNode',
  /** A create met an existing record. */
  NodeExists: 'NodeExists',
  /** The record has another version than the one given, or the version was given by another store. */
  BadVersion: 'BadVersion',
  /** A directory with entries cannot be deleted or replaced. */
  NotEmpty: 'NotEmpty',
  /** The deadline passed; nothing was changed by this call. */
  Timeout: 'Timeout',
  /** The caller's signal fired or the connection was closed; nothing was changed by this call. */
  Interrupted: 'Interrupted',
  /** No server of the store answers; nothing was changed by this call. */
  Unavailable: 'Unavailable',
  /** The store refuses these credentials, or this action to them. */
  Unauthorized: 'Unauthorized',
  /** A value, path or batch is larger than the store takes. Refused before anything is sent. */
  TooLarge: 'TooLarge',
  /** The path, root, or name is not legal (here or for this store). Refused before anything is sent. */
  InvalidPath: 'InvalidPath',
  /** The address is not understood: unknown scheme or implementation, no root, bad port … */
  InvalidAddress: 'InvalidAddress',
  /** A batch breaks the rules of {@link Connection.write}. Refused before anything is sent. */
  InvalidBatch: 'InvalidBatch',
  /** The connection was opened read-only. */
  ReadOnly: 'ReadOnly',
  /** The store, or the chosen client, cannot do this; the message says what can. */
  Unsupported: 'Unsupported',
  /** A write was sent and its answer was lost: it may or may not have been applied, now or later. */
  OutcomeUnknown: 'OutcomeUnknown',
  /** What was read is not what it should be: a damaged file, a truncated answer, a record that does not decode. */
  Corrupt: 'Corrupt',
  /** The lock is not held any more, or was lost before it was given back: somebody else may hold it. */
  LockLost: 'LockLost',
  /** A watch cannot go on without a gap; read again and open a new one. */
  WatchLost: 'WatchLost',
  /** The topology has no such cell, or a cell has no address. */
  NoCell: 'NoCell',
  /** A guard stopped the work before the first write; the message names what was found. */
  Guard: 'Guard',
  /** The request makes no sense as it stands (flags, plans, arguments). */
  Usage: 'Usage',
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** What a {@link TopologyError} knows beyond its code and message. */
export interface ErrorDetails {
  /** Path relative to the store's root. */
  readonly path?: string | undefined;
  /** {@link Connection.store}: which store. */
  readonly store?: string | undefined;
  /** What the person should do next: one sentence. */
  readonly hint?: string | undefined;
  /** In a batch, index of the operation that failed. */
  readonly index?: number | undefined;
  /** Whether the same call can succeed later without anybody changing anything. Default: by code. */
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.Unavailable,
  ErrorCode.Timeout,
  ErrorCode.WatchLost,
]);

/** See the module's comment. `message` is one sentence without path and store, which are appended. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError';
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly store: string | undefined;
  readonly hint: string | undefined;
  readonly index: number | undefined;
  readonly retryable: boolean;
  /** The message without path and store, for where these are said already. */
  readonly sentence: string;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(describe(message, details), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path;
    this.store = details.store;
    this.hint = details.hint;
    this.index = details.index;
    this.retryable = details.retryable ?? RETRYABLE.has(code);
    this.sentence = message;
  }

  /** The same error, as that of operation `index` of a batch; undefined: of no batch. */
  at(index: number | undefined): TopologyError {
    const { path, store, hint, retryable, cause } = this;
    return new TopologyError(this.code, this.sentence, { path, store, hint, retryable, cause, index });
  }

  /** The same error, as that of a store. */
  inStore(store: string): TopologyError {
    const { path, hint, retryable, cause, index } = this;
    return new TopologyError(this.code, this.sentence, { path, store, hint, retryable, cause, index });
  }

  /** The same error, about another path. */
  about(path: string): TopologyError {
    const { store, hint, retryable, cause, index } = this;
    return new TopologyError(this.code, this.sentence, { path, store, hint, retryable, cause, index });
  }

  /** The same error, with something else to do next. */
  withHint(hint: string): TopologyError {
    const { path, store, retryable, cause, index } = this;
    return new TopologyError(this.code, this.sentence, { path, store, hint, retryable, cause, index });
  }
}

function describe(message: string, details: ErrorDetails): string {
  const where: string[] = [];
  if (details.path !== undefined) where.push(`path ${details.path === '' ? '(root)' : details.path}`);
  if (details.store !== undefined) where.push(`store ${details.store}`);
  return where.length === 0 ? message : `${message} (${where.join(', ')})`;
}

/** True when `error` is a {@link TopologyError}, and of one of `codes` when any are given. */
export function isTopologyError(error: unknown, ...codes: ErrorCode[]): error is TopologyError {
  return error instanceof TopologyError && (codes.length === 0 || codes.includes(error.code));
}
