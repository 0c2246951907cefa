import type { CallContext } from './calls.js';
import type { CancelSignal } from './cancellation.js';
import { ErrorCode, TopologyError } from './errors.js';
import { callFailed, type Failures, type Meaning, type MemberFailure } from './member-failures.js';
import type { Ask, Limits } from './members.js';

/** What to name when the members fail in different ways: what a person can put right comes first. */
const WEIGHT: Readonly<Partial<Record<ErrorCode, number>>> = {
  [ErrorCode.Unauthorized]: 3,
  [ErrorCode.Unavailable]: 2,
  [ErrorCode.Timeout]: 1,
};

/** The client of a store's members. */
export interface Contacted<M> {
  readonly context: CallContext;
  readonly members: readonly M[];
  /** Puts a member that answered before the others. */
  promote(member: M): void;
  pause(round: number, signal: CancelSignal): Promise<void>;
}

/** How members are asked, and how they fail. */
export interface Contact<M, F extends MemberFailure> {
  readonly failures: Failures<F>;
  /** Any member's answer is enough. */
  readonly ask: Ask<M, unknown>;
  readonly timeoutMs: number;
  /** The clock that the members measure their limits with. */
  readonly now: () => number;
  /** Whether a member has nobody to lead it at the moment, so that it may answer soon. */
  readonly isElecting: (failure: F) => boolean;
  /** The meaning of a failure, with what can be found out about it. */
  readonly explain: (failure: F, member: M | undefined) => Promise<Meaning>;
}

/**
 * Proves that a member answers. Fails with Unavailable, Unauthorized or Timeout, and what each member did. While the members elect a leader, it
 * asks again.
 */
export async function firstContact<M, F extends MemberFailure>(
  client: Contacted<M>,
  contact: Contact<M, F>,
): Promise<void> {
  const { now, ask, isElecting } = contact;
  const stop = new AbortController();
  const until = now() + contact.timeoutMs;
  const limits: Limits = { connectBy: until, answerBy: until, signal: stop.signal };
  try {
    for (let round = 0; ; round++) {
      const failed = await askAll(client, contact, (member) => ask(member, limits));
      if (failed === undefined) return;
      if (!failed.some(isElecting) || now() >= until) throw await refusal(client, contact, failed);
      await client.pause(round, stop.signal);
    }
  } finally {
    stop.abort();
  }
}

/** Asks all members at once; answers with what each failed with, or undefined when one did not. */
async function askAll<M, F extends MemberFailure>(
  client: Contacted<M>,
  { failures }: Contact<M, F>,
  ask: (member: M) => Promise<unknown>,
): Promise<F[] | undefined> {
  const attempts = client.members.map(async (member) => {
    await ask(member);
    return member;
  });
  try {
    client.promote(await Promise.any(attempts));
    return undefined;
  } catch (error) {
    const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
    const other = errors.find((each) => !failures.isFailure(each));
    if (other !== undefined) throw callFailed(failures, client.context, other, { kind: 'read' });
    return errors.filter((each) => failures.isFailure(each));
  }
}

async function refusal<M, F extends MemberFailure>(
  { members, context }: Contacted<M>,
  { failures, explain }: Contact<M, F>,
  failed: readonly F[],
): Promise<TopologyError> {
  const meanings = await Promise.all(failed.map((failure, i) => explain(failure, members[i])));
  const [worst] = [...meanings].sort((a, b) => (WEIGHT[b.code] ?? 0) - (WEIGHT[a.code] ?? 0));
  const told = [...new Set(meanings.map(({ message }) => message))].join('; ');
  const message = `cannot connect to ${failures.product}: ${told}`;
  return new TopologyError(worst?.code ?? ErrorCode.Unavailable, message, {
    store: context.store,
    hint: worst?.hint,
    retryable: worst?.retryable,
    cause: failed[0],
  });
}
