import { type StoreAddress, serversOf } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { ServerHealth, StoreHealth } from '../../topo/health.js';
import { httpGet } from '../../topo/http-get.js';
import type { Limits } from '../../topo/members.js';
import { meaningOf, RpcFailure } from './error.js';
import type { Calls } from './grpc.js';
import { Member, type StoreCall } from './member.js';

/** How a cluster is: each member's status, its list of members, its alarms, and over HTTP its clock and its quota. */
export async function health(address: StoreAddress, settings: ConnectSettings): Promise<StoreHealth> {
  const members = [...new Set(serversOf(address).servers)].map((server) => new Member(server, settings));
  const stop = new AbortController();
  const until = Date.now() + settings.connectTimeoutMs;
  const limits: Limits = { connectBy: until, answerBy: until, signal: stop.signal };
  try {
    const answers = await Promise.all(members.map((member) => ask(member, limits, settings)));
    const unknown = [...new Set(answers.flatMap((answer) => answer.unknown))];
    const told = async <M extends StoreCall>(method: M, request: Calls[M]['request'], what: string) => {
      const up = members.filter((_, i) => answers[i]?.health.up);
      try {
        return await Promise.any(up.map((member) => member.call(method, request, limits)));
      } catch (error) {
        if (up.length > 0) unknown.push(`${what}: ${reasonOf(error)}`);
        return undefined;
      }
    };
    const list = await told('memberList', {}, 'the members of the cluster');
    const alarms = await told('alarm', { action: 'Get' }, 'alarms');
    const voting = list?.members.filter(({ isLearner }) => !isLearner);
    const up = new Set(answers.flatMap(({ id }) => (id === undefined ? [] : [id])));
    const isNamed = voting?.every(({ ID }) => up.has(ID)) === true || voting?.length === members.length;
    return {
      servers: answers.map((answer) => answer.health),
      voters:
        voting === undefined
          ? undefined
          : { total: voting.length, up: isNamed ? voting.filter(({ ID }) => up.has(ID)).length : undefined },
      hasLeader: answers.some(({ leads }) => leads === true) || (up.size === 0 ? undefined : false),
      alarms: alarms?.alarms.map(({ alarm }) => String(alarm).toUpperCase()),
      unknown,
    };
  } finally {
    stop.abort();
    for (const member of members) member.close();
  }
}

interface Answer {
  readonly health: ServerHealth;
  /** The member's own id. */
  readonly id?: string | undefined;
  /** Whether it knows of a leader. */
  readonly leads?: boolean;
  readonly unknown: readonly string[];
}

async function ask(member: Member, limits: Limits, settings: ConnectSettings): Promise<Answer> {
  const { clock, tls, connectTimeoutMs: timeoutMs } = settings;
  const server = member.endpoint;
  const before = clock.now();
  try {
    const { header, version, dbSize, leader } = await member.call('status', {}, limits);
    const ms = clock.now() - before;
    const get = (path: string) =>
      httpGet({
        endpoint: server,
        path,
        tls: member.secure ? (tls ?? {}) : undefined,
        timeoutMs,
        clock,
      }).catch(() => undefined);
    const [page, metrics] = await Promise.all([get('/version'), get('/metrics')]);
    const quota = /^etcd_server_quota_backend_bytes ([\d.e+]+)$/m.exec(metrics?.body ?? '')?.[1];
    return {
      health: {
        server,
        up: true,
        ms,
        version,
        role: leader === header.member_id ? 'leader' : 'follower',
        dataBytes: Number(dbSize),
        quotaBytes: quota === undefined ? undefined : Number(quota),
        clock: page?.serverClock,
      },
      id: header.member_id,
      leads: leader !== '0',
      unknown: [
        ...(quota === undefined ? ['the quota: /metrics does not tell it'] : []),
        ...(page?.serverClock === undefined ? ['the clock: /version does not answer'] : []),
      ],
    };
  } catch (error) {
    return { health: { server, up: false, problem: reasonOf(error) }, unknown: [] };
  }
}

function reasonOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? error.errors : [error];
  if (first instanceof RpcFailure) return meaningOf(first).message.replace(`${first.endpoint}: `, '');
  return first instanceof Error ? first.message : String(first);
}
