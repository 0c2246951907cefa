import { type StoreAddress, serversOf } from '../topo/address.js';
import type { ConnectSettings } from '../topo/backend.js';
import type { ServerHealth, StoreHealth } from '../topo/health.js';
import { parseServer } from '../zookeeper/address.js';
import { fourLetterWord } from '../zookeeper/four-letter.js';
import { readSecurity } from '../zookeeper/tls.js';
import { openFirst, sessionOpener } from './open.js';

/** What an ensemble says of its members, since 3.5. */
const CONFIG = '/zookeeper/config';

/** How an ensemble is: by `srvr` and `mntr` of each server, and by its configuration. */
export async function health(address: StoreAddress, settings: ConnectSettings): Promise<StoreHealth> {
  const { servers, observers } = serversOf(address);
  const [answers, configured] = await Promise.all([
    Promise.all([...new Set([...servers, ...observers])].map((server) => ask(server, settings))),
    votersOf(address, settings),
  ]);
  const all = answers.map(({ health: each }) => each);
  const unknown = [...new Set(answers.flatMap((answer) => answer.unknown))];
  if (configured === undefined) unknown.push(`the members of the ensemble: ${CONFIG} cannot be read`);
  const voting = all.filter(({ up, role }) => up && role !== 'observer');
  const synced = answers.find(({ followers }) => followers !== undefined)?.followers;
  const total = configured ?? (all.some(({ role }) => role === 'single') ? 1 : undefined);
  const told = voting.filter(({ role }) => role !== undefined).length;
  const up = synced === undefined ? (told === total ? told : undefined) : synced + 1;
  return {
    servers: all,
    voters: total === undefined ? undefined : { total, up },
    // What has a mode serves, and does so only under a leader.
    hasLeader:
      all.some(({ role }) => role !== undefined) || (answers.some(({ idle }) => idle) ? false : undefined),
    unknown,
  };
}

interface Answer {
  readonly health: ServerHealth;
  /** Followers in step with this server, which leads. */
  readonly followers?: number | undefined;
  /** It answers, and serves nobody. */
  readonly idle: boolean;
  readonly unknown: readonly string[];
}

async function ask(server: string, settings: ConnectSettings): Promise<Answer> {
  const { clock, tls, connectTimeoutMs } = settings;
  const word = (name: string) =>
    fourLetterWord(
      parseServer(server),
      name,
      tls === undefined ? undefined : readSecurity(tls),
      connectTimeoutMs,
    );
  const before = clock.now();
  let srvr: string;
  try {
    srvr = await word('srvr');
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { health: { server, up: false, problem }, idle: false, unknown: [] };
  }
  const ms = clock.now() - before;
  if (/not currently serving/.test(srvr))
    return {
      health: { server, up: false, problem: 'it serves nobody: it has no quorum', ms },
      idle: true,
      unknown: [],
    };
  if (!/^Mode: /m.test(srvr)) {
    const unknown = ['versions and roles: srvr is not among the servers’ 4lw.commands.whitelist'];
    return { health: { server, up: true, ms }, idle: false, unknown };
  }
  const mntr = numbers(await word('mntr').catch(() => ''));
  const version = /^Zookeeper version: ([\d.]+)/m.exec(srvr)?.[1];
  const role = roleOf(/^Mode: (\S+)/m.exec(srvr)?.[1]);
  const known = mntr.size > 0;
  return {
    health: { server, up: true, ms, version, role, dataBytes: mntr.get('zk_approximate_data_size') },
    followers: role === 'leader' ? mntr.get('zk_synced_followers') : undefined,
    idle: false,
    unknown: known ? [] : ['followers in step: mntr is not among the servers’ 4lw.commands.whitelist'],
  };
}

function roleOf(mode: string | undefined): ServerHealth['role'] {
  switch (mode) {
    case 'leader':
    case 'follower':
    case 'observer':
      return mode;
    default:
      return mode === 'standalone' ? 'single' : undefined;
  }
}

/** Of `mntr`: a name and a value on each line. */
function numbers(text: string): Map<string, number> {
  return new Map(
    [...text.matchAll(/^(zk_\w+)\t(\d+(?:\.\d+)?)$/gm)].map(([, name = '', value]) => [name, Number(value)]),
  );
}

/** Members that vote by the ensemble's own configuration. Undefined: not told. */
async function votersOf(address: StoreAddress, settings: ConnectSettings): Promise<number | undefined> {
  try {
    const own = sessionOpener(address, { ...settings, zkClient: 'own' });
    const client = await openFirst(own, address, settings);
    try {
      const { data } = await client.getData(CONFIG, { timeoutMs: settings.connectTimeoutMs });
      const members = (data?.toString() ?? '').split('\n').filter((line) => line.startsWith('server.'));
      // A server alone has no members written down.
      return members.length === 0 ? 1 : members.filter((line) => !/:observer\b/.test(line)).length;
    } finally {
      await client.close();
    }
  } catch {
    return undefined;
  }
}
