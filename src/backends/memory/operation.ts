import { ErrorCode } from '../../topo/errors.js';

/** What every product keeps for a key. Never changed: a write puts another in its place. */
export interface Item {
  /** Owned by the store. null: not a record, only a directory (ZooKeeper). */
  readonly bytes: Uint8Array | null;
  /** czxid, create revision, CreateIndex. */
  readonly created: number;
  /** mzxid, mod revision, ModifyIndex. */
  readonly modified: number;
  /** Session or lease that the record ends with; `''`: none. */
  readonly owner: string;
}

/**
 * One operation of a transaction. `bytes` are the store's from now on. `token` names a state as the store does, null any
 * (for `check`: absent); `put` writes in any state.
 */
export type StoreOp =
  | { readonly type: 'create' | 'put'; readonly key: string; readonly bytes: Uint8Array }
  | { readonly type: 'update'; readonly key: string; readonly bytes: Uint8Array; readonly token: string }
  | { readonly type: 'delete' | 'check'; readonly key: string; readonly token: string | null }
  /** Changes nothing; LockLost unless the record is there and the session or lease owns it. */
  | { readonly type: 'held'; readonly key: string; readonly owner: string };

/** An operation as the requests it takes: each `yield` stands for another request, before which others may get in. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** What a store answers instead of a result; nothing was changed, except with OutcomeUnknown. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly key: string;
  /** Place in a transaction. */
  index: number | undefined;

  constructor(code: ErrorCode, message: string, key: string) {
    super(message);
    this.code = code;
    this.key = key;
  }
}

export function noRecord(key: string): Refusal {
  return new Refusal(ErrorCode.NoNode, 'there is no such record', key);
}

export function recordExists(key: string): Refusal {
  return new Refusal(ErrorCode.NodeExists, 'the record exists already', key);
}

export function badVersion(key: string): Refusal {
  return new Refusal(ErrorCode.BadVersion, 'the record is not in the state that the version names', key);
}

/** Runs the work for one operation of a transaction, whose place its refusal then names. */
export function indexed<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) error.index = index;
    throw error;
  }
}

/** The key of a path in the whole store, which may begin with a slash. */
export function keyOf(path: string): string {
  return path.replace(/^\/+/, '');
}
