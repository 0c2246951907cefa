import { HttpFailure } from '../../http/failure.js';
import { type StoreAddress, serversOf } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { ServerHealth, StoreHealth } from '../../topo/health.js';
import type { Limits } from '../../topo/members.js';
import { field } from './answers.js';
import { meaningOf } from './error.js';
import { Member } from './member.js';

/** What the API of version 2 has no word for. */
const NOT_TOLD = ['alarms, sizes and quotas: etcd’s v2 API does not tell them'];

/** How a cluster is: each server's own state, and the members that one of them names. */
export async function health(address: StoreAddress, settings: ConnectSettings): Promise<StoreHealth> {
  const { clock, connectTimeoutMs } = settings;
  const stop = new AbortController();
  const until = clock.now() + connectTimeoutMs;
  const limits: Limits = { connectBy: until, answerBy: until, signal: stop.signal };
  const members = [...new Set(serversOf(address).servers)].map((server) => new Member(server, settings));
  try {
    const answers = await Promise.all(members.map((member) => ask(member, limits, clock)));
    const up = members.filter((_, i) => answers[i]?.health.up);
    const list = await Promise.any(up.map((member) => member.told('/v2/members', limits))).catch(() => {});
    const named = field(list, 'members');
    const ids = Array.isArray(named) ? named.map((each) => field(each, 'id')) : undefined;
    const alive = new Set(answers.flatMap(({ id }) => (id === undefined ? [] : [id])));
    return {
      servers: answers.map((answer) => answer.health),
      voters: ids && { total: ids.length, up: upOf(ids, alive, members.length) },
      hasLeader: answers.some(({ leads }) => leads === true) || (up.length === 0 ? undefined : false),
      unknown: [
        ...NOT_TOLD,
        ...(ids === undefined ? ['the members of the cluster: no server told them'] : []),
      ],
    };
  } finally {
    stop.abort();
    for (const member of members) member.close();
  }
}

/** Members that are up; undefined: of some that the address does not name it is not known. */
function upOf(ids: readonly unknown[], alive: ReadonlySet<unknown>, asked: number): number | undefined {
  const isNamed = ids.length === asked || ids.every((id) => alive.has(id));
  return isNamed ? ids.filter((id) => alive.has(id)).length : undefined;
}

interface Answer {
  readonly health: ServerHealth;
  /** The member's own id. */
  readonly id?: unknown;
  /** Whether it knows of a leader. */
  readonly leads?: boolean;
}

async function ask(member: Member, limits: Limits, clock: ConnectSettings['clock']): Promise<Answer> {
  const server = member.endpoint;
  const before = clock.now();
  try {
    const version = field(await member.told('/version', limits), 'etcdserver');
    const ms = clock.now() - before;
    const self = await member.told('/v2/stats/self', limits);
    const leader = field(field(self, 'leaderInfo'), 'leader');
    const state = String(field(self, 'state') ?? '');
    return {
      health: {
        ...{ server, up: true, ms, version: typeof version === 'string' ? version : undefined },
        role: ROLES[state],
      },
      id: field(self, 'id'),
      leads: typeof leader === 'string' && leader !== '' && !/^0+$/.test(leader),
    };
  } catch (error) {
    return { health: { server, up: false, problem: reasonOf(error) } };
  }
}

const ROLES: Readonly<Record<string, ServerHealth['role']>> = {
  StateLeader: 'leader',
  StateFollower: 'follower',
};

function reasonOf(error: unknown): string {
  if (error instanceof HttpFailure) return meaningOf(error).message.replace(`${error.endpoint}: `, '');
  return error instanceof Error ? error.message : String(error);
}
