import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { speaksTls } from '../../topo/speaks-tls.js';
import type { EtcdClient } from './client.js';
import { type Meaning, meaningOf, NO_TLS, RpcFailure, toTopologyError } from './error.js';
import type { Member } from './member.js';

/** What to name when the members fail in different ways: what a person can put right comes first. */
const WEIGHT: Readonly<Partial<Record<ErrorCode, number>>> = {
  [ErrorCode.Unauthorized]: 3,
  [ErrorCode.Unavailable]: 2,
  [ErrorCode.Timeout]: 1,
};

/** Texts of failures in which nobody was met: TLS has no part in them. */
const NOBODY = /ECONNREFUSED|resolution failed|ENOTFOUND|EAI_AGAIN|UNREACH|ETIMEDOUT/;

/**
 * Proves that a member answers and lets the root be read. Fails with Unavailable, Unauthorized or Timeout, and what each
 * member did. While the members elect a leader, it asks again.
 */
export async function probe(client: EtcdClient, timeoutMs: number): Promise<void> {
  const stop = new AbortController();
  const until = Date.now() + timeoutMs;
  try {
    for (let round = 0; ; round++) {
      const failures = await ask(client, until, stop.signal);
      if (failures === undefined) return;
      const electing = failures.some((failure) => failure.sent && meaningOf(failure).passing);
      if (!electing || Date.now() >= until) throw await refusal(client, failures);
      await client.pause(round, stop.signal);
    }
  } finally {
    stop.abort();
  }
}

/** Asks all members at once; answers with what each failed with, or undefined when one did not. */
async function ask(
  client: EtcdClient,
  until: number,
  signal: AbortSignal,
): Promise<RpcFailure[] | undefined> {
  const limits = { connectBy: until, answerBy: until, signal };
  const request = { key: client.keys.first(''), keys_only: true };
  const attempts = client.members.map(async (member) => {
    await member.call('range', request, limits);
    return member;
  });
  try {
    client.promote(await Promise.any(attempts));
    return undefined;
  } catch (error) {
    const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
    const other = errors.find((each) => !(each instanceof RpcFailure));
    if (other !== undefined) throw toTopologyError(client.context, other, { kind: 'read' });
    return errors.filter((each) => each instanceof RpcFailure);
  }
}

async function refusal(client: EtcdClient, failures: readonly RpcFailure[]): Promise<TopologyError> {
  const meanings = await Promise.all(
    failures.map(async (failure, i) => {
      const member = client.members[i];
      return member === undefined ? meaningOf(failure) : explain(member, failure);
    }),
  );
  const [worst] = [...meanings].sort((a, b) => (WEIGHT[b.code] ?? 0) - (WEIGHT[a.code] ?? 0));
  const told = [...new Set(meanings.map(({ message }) => message))].join('; ');
  return new TopologyError(worst?.code ?? ErrorCode.Unavailable, `cannot connect to etcd: ${told}`, {
    store: client.context.store,
    hint: worst?.hint,
    retryable: worst?.retryable,
    cause: failures[0],
  });
}

/** The meaning of a failure; where a server hung up without a word, also whether that is because of TLS. */
async function explain(member: Member, failure: RpcFailure): Promise<Meaning> {
  const meaning = meaningOf(failure);
  if (failure.sent || meaning.code !== ErrorCode.Unavailable) return meaning;
  if (NOBODY.test(failure.details)) return meaning;
  // A server that takes TLS's first bytes for a bad request hangs up, and what is seen of that is chance.
  if (member.secure && meaning.hint !== undefined) return meaning;
  if ((await speaksTls(member.endpoint)) === member.secure) return meaning;
  if (member.secure)
    return { ...meaning, message: `${member.endpoint}: ${NO_TLS.what}`, hint: NO_TLS.hint, retryable: false };
  return {
    ...meaning,
    message: `${member.endpoint}: the server speaks TLS`,
    hint: 'write https:// before the server, and give the CA if it is not a public one',
    retryable: false,
  };
}
