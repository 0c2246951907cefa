import { type CallContext, outcomeUnknown } from './calls.js';
import { ErrorCode, TopologyError } from './errors.js';

type Where = Pick<CallContext, 'store'>;

/** How a call to one member failed, in the terms of its protocol. */
export interface MemberFailure extends Error {
  /** False when it is certain that no byte of the request left for the member. */
  readonly sent: boolean;
}

/** What a failure means. */
export interface Meaning {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly retryable?: boolean;
  /** It is certain that the request was not carried out, and will not be. */
  readonly refused: boolean;
  /** The same request may do better with another member, or a moment later. */
  readonly passing: boolean;
}

/** How the members of one kind of store fail. */
export interface Failures<F extends MemberFailure> {
  /** What people call the store: `etcd`, `Consul`. */
  readonly product: string;
  /** False: an error of a program, not of a member. */
  isFailure(error: unknown): error is F;
  meaningOf(failure: F): Meaning;
}

/** What an error is about. */
export interface Failed {
  readonly path?: string | undefined;
  readonly kind: 'read' | 'write';
}

/** The TopologyError of a failed call. A write that may have been carried out is OutcomeUnknown, whatever ended it. */
export function callFailed<F extends MemberFailure>(
  { product, isFailure, meaningOf }: Failures<F>,
  context: Where,
  error: unknown,
  { path, kind }: Failed,
): TopologyError {
  if (error instanceof TopologyError) return error;
  const { store } = context;
  if (!isFailure(error)) {
    if (kind === 'write') return outcomeUnknown(context, path, error);
    const message = `the ${product} client failed`;
    return new TopologyError(ErrorCode.Unavailable, message, { path, store, cause: error });
  }
  const { code, message, hint, retryable, refused } = meaningOf(error);
  const found = new TopologyError(code, message, { path, store, hint, retryable, cause: error });
  if (kind === 'read' || refused) return found;
  if (hint === undefined) return outcomeUnknown(context, path, found);
  const doubt = `${message}: the write may have been carried out`;
  return new TopologyError(ErrorCode.OutcomeUnknown, doubt, { path, store, hint, cause: found });
}

/** Unavailable for a call that no member of the store could be reached for. */
export function noMember<F extends MemberFailure>(
  { product, meaningOf }: Failures<F>,
  { store }: Where,
  failures: readonly F[],
  path: string | undefined,
): TopologyError {
  const told = new Set(failures.map((failure) => meaningOf(failure).message));
  const message = `no ${product} server can be reached: ${[...told].join('; ')}`;
  return new TopologyError(ErrorCode.Unavailable, message, { path, store, cause: failures[0] });
}
