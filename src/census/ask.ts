import type { TlsSettings } from '../topo/backend.js';
import type { Clock } from '../topo/clock.js';
import { type HttpAnswer, httpGet } from '../topo/http-get.js';
import { readVars, type Told } from './page.js';
import { readStatus } from './status-page.js';

/** How processes are asked. */
export interface AskOptions {
  /** Undefined: without TLS. */
  readonly tls: TlsSettings | undefined;
  /** Milliseconds that one page may take, whole. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What came of asking a process; a text: why it told nothing. */
export type Answer = Told | string;

/** Asks a gate, or another process that no record names, for its `/debug/vars`. Never throws. */
export async function askProcess(endpoint: string, options: AskOptions): Promise<Answer> {
  const body = await page(endpoint, '/debug/vars', options);
  return typeof body === 'string' ? body : readVars(body.body);
}

/** {@link askProcess}; where the page leaves out which tablet it is, its `/debug/status` is asked, too. Never throws. */
export async function askTablet(endpoint: string, options: AskOptions): Promise<Answer> {
  const told = await askProcess(endpoint, options);
  if (typeof told === 'string' || (told.alias !== undefined && told.type !== undefined)) return told;
  const status = await page(endpoint, '/debug/status', options);
  if (typeof status === 'string') return told;
  const { alias, type, keyspace, shard } = readStatus(status.body);
  return {
    ...told,
    alias: told.alias ?? alias,
    type: told.type ?? type,
    keyspace: told.keyspace ?? keyspace,
    shard: told.shard ?? shard,
  };
}

/** A page; a text: why there is none. A redirection is no page, and is not followed. */
async function page(endpoint: string, path: string, options: AskOptions): Promise<HttpAnswer | string> {
  let answer: HttpAnswer;
  try {
    answer = await httpGet({ endpoint, path, ...options });
  } catch (error) {
    return reasonOf(error);
  }
  return answer.status === 200 ? answer : `its ${path} answers with HTTP status ${answer.status}`;
}

/** What Node says of a failed request, in the words of its code where the message would repeat the address. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const plain: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nobody listens on its port',
    ENOTFOUND: 'its host has no address',
    EHOSTUNREACH: 'its host cannot be reached',
    ECONNRESET: 'it hung up',
    HPE_INVALID_CONSTANT: 'it does not speak HTTP',
  };
  return plain[code ?? ''] ?? (message === '' ? String(code) : message);
}
