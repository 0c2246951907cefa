import type { ConnectSettings } from '../../topo/backend.js';
import type { WriteOp } from '../../topo/connection.js';
import { httpGet } from '../../topo/http-get.js';
import { runOfNew } from './batch-message.js';
import type { Member } from './member.js';

/** New records in a row from which on it is worth to ask for the cluster's version. */
const WORTH_ASKING = 16;

/**
 * Whether one condition may stand for a run of new records, which spares etcd a lookup for each.
 *
 * Servers before 3.3 know no conditions on ranges and would look at the first key alone: where one of them may be a member, now or
 * later, members could come to differ. Not what the members say of themselves decides, but the version that the cluster has agreed on,
 * which is that of its oldest member: with it no older one can join any more.
 */
export class RangeConditions {
  readonly #members: readonly Member[];
  readonly #settings: ConnectSettings;
  readonly #signal: AbortSignal;
  #state: 'unknown' | 'asked' | 'on' | 'off' = 'unknown';

  /** @param signal fires when the connection is closed */
  constructor(members: readonly Member[], settings: ConnectSettings, signal: AbortSignal) {
    this.#members = members;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** Whether this batch may be sent with them. Nobody waits for the cluster's version: until it is known the answer is no. */
  suit(ops: readonly WriteOp[]): boolean {
    if (this.#state === 'unknown' && hasLongRun(ops)) {
      this.#state = 'asked';
      void this.#ask();
    }
    return this.#state === 'on';
  }

  /** They were refused where conditions on each key hold: keys of others lie between, and each batch would be sent twice. */
  stop(): void {
    this.#state = 'off';
  }

  async #ask(): Promise<void> {
    const answers = await Promise.all(this.#members.map((member) => this.#knowsRanges(member)));
    if (this.#state === 'asked' && answers.includes(true)) this.#state = 'on';
  }

  /** Whether a member knows that all of the cluster knows conditions on ranges; a failure is no. */
  async #knowsRanges({ endpoint, secure }: Member): Promise<boolean> {
    const { clock, tls, connectTimeoutMs: timeoutMs } = this.#settings;
    const question = { endpoint, path: '/version', tls: secure ? (tls ?? {}) : undefined, clock, timeoutMs };
    try {
      return knowsRanges((await httpGet({ ...question, signal: this.#signal })).body);
    } catch {
      return false;
    }
  }
}

/** Whether all of a cluster knows conditions on ranges, by what one of its members answers to `GET /version`. */
export function knowsRanges(answer: string): boolean {
  const [, major = '', minor = ''] = /"etcdcluster":\s*"(\d+)\.(\d+)\.\d+"/.exec(answer) ?? [];
  return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 3);
}

function hasLongRun(ops: readonly WriteOp[]): boolean {
  for (let from = 0; from < ops.length; ) {
    const end = runOfNew(ops, from);
    if (end - from >= WORTH_ASKING) return true;
    from = Math.max(end, from + 1);
  }
  return false;
}
