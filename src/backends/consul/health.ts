import { type StoreAddress, serversOf } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { ServerHealth, StoreHealth } from '../../topo/health.js';
import { type HttpAnswer, httpGet } from '../../topo/http-get.js';

const OK = 200;
const FORBIDDEN = 403;
/** How the servers' health is answered where one of them is not well. */
const UNWELL = 429;

/** How a datacenter is: each agent's own state, and what the leader says of its servers. */
export async function health(address: StoreAddress, settings: ConnectSettings): Promise<StoreHealth> {
  const agents = [...new Set(serversOf(address).servers)];
  const answers = await Promise.all(agents.map((agent) => ask(agent, settings)));
  const unknown = [...new Set(answers.flatMap((answer) => answer.unknown))];
  const best =
    answers.find(({ hasLeader }) => hasLeader === true) ?? answers.find(({ health: { up } }) => up);
  const voters = best === undefined ? undefined : await votersOf(best.health.server, settings, unknown);
  return { servers: answers.map((answer) => answer.health), voters, hasLeader: best?.hasLeader, unknown };
}

interface Answer {
  readonly health: ServerHealth;
  readonly hasLeader?: boolean;
  readonly unknown: readonly string[];
}

async function ask(server: string, settings: ConnectSettings): Promise<Answer> {
  const endpoint = server.replace(/^https?:\/\//, '');
  let leader: HttpAnswer;
  try {
    leader = await get(server, '/v1/status/leader', settings);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { health: { server: endpoint, up: false, problem }, unknown: [] };
  }
  if (leader.status !== OK) {
    const problem = `HTTP status ${leader.status}: it knows no server that leads`;
    return { health: { server: endpoint, up: false, problem }, hasLeader: false, unknown: [] };
  }
  const self = await get(server, '/v1/agent/self', settings).catch(() => undefined);
  const config = field(parse(self), 'Config');
  const version = field(config, 'Version');
  const isServer = field(config, 'Server');
  return {
    health: {
      server: endpoint,
      up: true,
      ms: leader.ms,
      version: typeof version === 'string' ? version : undefined,
      role: isServer === false ? 'client' : undefined,
      clock: leader.serverClock,
    },
    hasLeader: parse(leader) !== '',
    unknown: [
      ...(version === undefined ? ['versions: the token may not read agents (agent:read)'] : []),
      ...(settings.consulToken !== undefined && leavesOut(version) ? [LEFT_OUT] : []),
    ],
  };
}

/** Whether an agent may leave keys that the token may not read out of its listings and not say so. */
function leavesOut(version: unknown): boolean {
  const [, major = 0, minor = 0] = /^(\d+)\.(\d+)/.exec(String(version))?.map(Number) ?? [];
  return major < 1 || (major === 1 && minor < SAYS_SO);
}

/** The minor version of Consul 1 from which it says that a listing is not whole. */
const SAYS_SO = 11;
const LEFT_OUT =
  'whether the token may read every key: Consul before 1.11 leaves what it may not read out of its listings without a word';

/** Servers that vote: by the leader's own view of them, or at least how many there are. */
async function votersOf(
  server: string,
  settings: ConnectSettings,
  unknown: string[],
): Promise<StoreHealth['voters']> {
  const told = await get(server, '/v1/operator/autopilot/health', settings).catch(() => undefined);
  const servers = told?.status === OK || told?.status === UNWELL ? field(parse(told), 'Servers') : undefined;
  if (Array.isArray(servers)) {
    const voting = servers.filter((each) => field(each, 'Voter') === true);
    return { total: voting.length, up: voting.filter((each) => field(each, 'Healthy') === true).length };
  }
  unknown.push(
    told?.status === FORBIDDEN
      ? 'which servers are well: the token may not read operators (operator:read)'
      : 'which servers are well: the leader does not say',
  );
  const peers = parse(await get(server, '/v1/status/peers', settings).catch(() => undefined));
  return Array.isArray(peers) ? { total: peers.length, up: undefined } : undefined;
}

function get(server: string, path: string, settings: ConnectSettings): Promise<HttpAnswer> {
  const { tls, consulToken, connectTimeoutMs: timeoutMs, clock } = settings;
  const secure = server.startsWith('https://') || (tls !== undefined && !server.startsWith('http://'));
  const headers = consulToken === undefined ? {} : { 'X-Consul-Token': consulToken };
  const endpoint = server.replace(/^https?:\/\//, '');
  return httpGet({ endpoint, path, tls: secure ? (tls ?? {}) : undefined, headers, timeoutMs, clock });
}

function parse(answer: HttpAnswer | undefined): unknown {
  if (answer === undefined) return undefined;
  try {
    return JSON.parse(answer.body);
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
