import { ErrorCode, TopologyError } from '../../topo/errors.js';
import type { Meaning } from '../../topo/member-failures.js';
import type { Limits } from '../../topo/members.js';
import type { ConsulClient } from './client.js';
import { HttpFailure, meaningOf, toTopologyError } from './error.js';

/** What to name when the members fail in different ways: what a person can put right comes first. */
const WEIGHT: Readonly<Partial<Record<ErrorCode, number>>> = {
  [ErrorCode.Unauthorized]: 3,
  [ErrorCode.Unavailable]: 2,
  [ErrorCode.Timeout]: 1,
};

/**
 * Proves that a member answers and lets the root be read. Fails with Unavailable, Unauthorized or Timeout, and what each
 * member did. While the members elect a leader, it asks again.
 */
export async function probe(client: ConsulClient, timeoutMs: number): Promise<void> {
  const { clock } = client.context;
  const stop = new AbortController();
  const until = clock.now() + timeoutMs;
  const limits: Limits = { connectBy: until, answerBy: until, signal: stop.signal };
  try {
    for (let round = 0; ; round++) {
      const failures = await ask(client, limits);
      if (failures === undefined) return;
      const electing = failures.some(({ status = 0 }) => status >= 500);
      if (!electing || clock.now() >= until) throw refusal(client, failures);
      await client.pause(round, stop.signal);
    }
  } finally {
    stop.abort();
  }
}

/** Asks all members at once; answers with what each failed with, or undefined when one did not. */
async function ask(client: ConsulClient, limits: Limits): Promise<HttpFailure[] | undefined> {
  const key = client.keys.nobody('');
  const attempts = client.members.map(async (member) => {
    await member.get({ key }, limits);
    return member;
  });
  try {
    client.promote(await Promise.any(attempts));
    return undefined;
  } catch (error) {
    const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
    const other = errors.find((each) => !(each instanceof HttpFailure));
    if (other !== undefined) throw toTopologyError(client.context, other, { kind: 'read' });
    return errors.filter((each) => each instanceof HttpFailure);
  }
}

function refusal(client: ConsulClient, failures: readonly HttpFailure[]): TopologyError {
  const meanings = failures.map(explain);
  const [worst] = [...meanings].sort((a, b) => (WEIGHT[b.code] ?? 0) - (WEIGHT[a.code] ?? 0));
  const told = [...new Set(meanings.map(({ message }) => message))].join('; ');
  return new TopologyError(worst?.code ?? ErrorCode.Unavailable, `cannot connect to Consul: ${told}`, {
    store: client.context.store,
    hint: worst?.hint,
    retryable: worst?.retryable,
    cause: failures[0],
  });
}

/** The meaning of a failure; of a connection that broke before the first answer, also what that hints at. */
function explain(failure: HttpFailure): Meaning {
  const meaning = meaningOf(failure);
  if (failure.status !== undefined || failure.late || meaning.hint !== undefined) return meaning;
  return failure.sent
    ? { ...meaning, hint: 'check host and port: another product may listen there' }
    : meaning;
}
