import { dialFailures } from '../topo/dial-failures.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Failures, Meaning } from '../topo/member-failures.js';
import type { Ask, Limits } from '../topo/members.js';
import { speaksTls } from '../topo/speaks-tls.js';
import type { HttpClient, HttpMember } from './client.js';
import { HttpFailure } from './failure.js';

/** What to name when the members fail in different ways: what a person can put right comes first. */
const WEIGHT: Readonly<Partial<Record<ErrorCode, number>>> = {
  [ErrorCode.Unauthorized]: 3,
  [ErrorCode.Unavailable]: 2,
  [ErrorCode.Timeout]: 1,
};

/**
 * Proves that a member answers what `ask` asks for. Fails with Unavailable, Unauthorized or Timeout, and what each
 * member did. While the members elect a leader, it asks again.
 */
export async function probe<M extends HttpMember>(
  client: HttpClient<M>,
  failures: Failures<HttpFailure>,
  timeoutMs: number,
  ask: Ask<M, unknown>,
): Promise<void> {
  const { clock } = client.context;
  const stop = new AbortController();
  const until = clock.now() + timeoutMs;
  const limits: Limits = { connectBy: until, answerBy: until, signal: stop.signal };
  try {
    for (let round = 0; ; round++) {
      const failed = await askAll(client, (member) => ask(member, limits));
      if (failed === undefined) return;
      const electing = failed.some(({ status = 0 }) => status >= 500);
      if (!electing || clock.now() >= until) throw await refusal(client, failures, failed);
      await client.pause(round, stop.signal);
    }
  } finally {
    stop.abort();
  }
}

/** Asks all members at once; answers with what each failed with, or undefined when one did not. */
async function askAll<M extends HttpMember>(
  client: HttpClient<M>,
  ask: (member: M) => Promise<unknown>,
): Promise<HttpFailure[] | undefined> {
  const attempts = client.members.map(async (member) => {
    await ask(member);
    return member;
  });
  try {
    client.promote(await Promise.any(attempts));
    return undefined;
  } catch (error) {
    const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
    const other = errors.find((each) => !(each instanceof HttpFailure));
    if (other !== undefined) throw client.readFailed(other);
    return errors.filter((each) => each instanceof HttpFailure);
  }
}

async function refusal<M extends HttpMember>(
  client: HttpClient<M>,
  { product, meaningOf }: Failures<HttpFailure>,
  failed: readonly HttpFailure[],
): Promise<TopologyError> {
  const meanings = await Promise.all(
    failed.map((failure, i) => explain(failure, client.members[i], meaningOf)),
  );
  const [worst] = [...meanings].sort((a, b) => (WEIGHT[b.code] ?? 0) - (WEIGHT[a.code] ?? 0));
  const told = [...new Set(meanings.map(({ message }) => message))].join('; ');
  return new TopologyError(worst?.code ?? ErrorCode.Unavailable, `cannot connect to ${product}: ${told}`, {
    store: client.context.store,
    hint: worst?.hint,
    retryable: worst?.retryable,
    cause: failed[0],
  });
}

/** The meaning of a failure; of a connection that broke before the first answer, also what that hints at. */
async function explain(
  failure: HttpFailure,
  member: HttpMember | undefined,
  meaningOf: Failures<HttpFailure>['meaningOf'],
): Promise<Meaning> {
  const meaning = meaningOf(failure);
  if (failure.status !== undefined || failure.late || meaning.hint !== undefined) return meaning;
  if (!failure.sent) return meaning;
  // Some servers that want TLS hang up without a word.
  if (member?.secure === false && (await speaksTls(member.endpoint)))
    return { ...meaning, ...dialFailures.speaksTls(member.endpoint) };
  return { ...meaning, hint: 'check host and port: another product may listen there' };
}
