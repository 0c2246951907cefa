import { ErrorCode } from '../../topo/errors.js';
import { firstContact } from '../../topo/first-contact.js';
import { speaksTls } from '../../topo/speaks-tls.js';
import type { EtcdClient } from './client.js';
import { FAILURES, type Meaning, meaningOf, NO_TLS, type RpcFailure } from './error.js';
import type { Member } from './member.js';

/** Texts of failures in which nobody was met: TLS has no part in them. */
const NOBODY = /ECONNREFUSED|resolution failed|ENOTFOUND|EAI_AGAIN|UNREACH|ETIMEDOUT/;

/** Proves that a member answers and lets the root be read. See {@link firstContact}. */
export function probe(client: EtcdClient, timeoutMs: number): Promise<void> {
  const request = { key: client.keys.first(''), keys_only: true };
  return firstContact(client, {
    failures: FAILURES,
    ask: (member, limits) => member.call('range', request, limits),
    timeoutMs,
    now: Date.now,
    isElecting: (failure) => failure.sent && meaningOf(failure).passing,
    explain: async (failure, member) =>
      member === undefined ? meaningOf(failure) : explain(member, failure),
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
