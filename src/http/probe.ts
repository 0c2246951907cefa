import { dialFailures } from '../topo/dial-failures.js';
import { firstContact } from '../topo/first-contact.js';
import type { Failures, Meaning } from '../topo/member-failures.js';
import type { Ask } from '../topo/members.js';
import { speaksTls } from '../topo/speaks-tls.js';
import type { HttpClient, HttpMember } from './client.js';
import type { HttpFailure } from './failure.js';

/** Proves that a member answers what `ask` asks for. See {@link firstContact}. */
export function probe<M extends HttpMember>(
  client: HttpClient<M>,
  failures: Failures<HttpFailure>,
  timeoutMs: number,
  ask: Ask<M, unknown>,
): Promise<void> {
  const { clock } = client.context;
  return firstContact(client, {
    failures,
    ask,
    timeoutMs,
    now: () => clock.now(),
    isElecting: ({ status = 0 }) => status >= 500,
    explain: (failure, member) => explain(failure, member, failures.meaningOf),
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
  if (!failure.sent) return hungUp(failure, member, meaning);
  // Some servers that want TLS hang up without a word.
  if (member?.secure === false && (await speaksTls(member.endpoint)))
    return { ...meaning, ...dialFailures.speaksTls(member.endpoint) };
  return { ...meaning, hint: 'check host and port: another product may listen there' };
}

/** A server that takes TLS's first bytes for a bad request hangs up, and what is seen of that is chance. */
async function hungUp(
  { code }: HttpFailure,
  member: HttpMember | undefined,
  meaning: Meaning,
): Promise<Meaning> {
  if (member?.secure !== true || !HANG_UPS.has(code ?? '')) return meaning;
  return (await speaksTls(member.endpoint))
    ? meaning
    : { ...meaning, ...dialFailures.noTls(member.endpoint) };
}

const HANG_UPS = new Set(['ECONNRESET', 'EPIPE']);
