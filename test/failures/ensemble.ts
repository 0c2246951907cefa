import { eventually } from '../conformance/tools.js';
import { startConsul } from '../servers/consul.js';
import {
  available,
  type Cluster,
  fourLetterWord,
  type Member,
  startEtcd,
  startZooKeeper,
} from '../servers/index.js';

/** A product as members of it, and how clients find it. */
export interface Product {
  readonly name: string;
  readonly implementation: 'zk2' | 'etcd2' | 'consul' | 'etcd';
  readonly available: () => boolean;
  /** Starts one member, or by default three. */
  readonly start: (members?: 1 | 3) => Promise<Cluster>;
  readonly isLeader: (member: Member) => Promise<boolean>;
  /** Clients know every member; otherwise they know one, which passes on what it is asked. */
  readonly manyEntries: boolean;
  /**
   * Its servers may carry out what they were sent seconds after the answer was lost, whatever happened: Consul, and etcd by its
   * old API, hold requests back while there is no leader. See `late` of a scenario.
   */
  readonly actsLate: boolean;
  /**
   * The other members always go on when the disk of the leader is full. A member of ZooKeeper 3.8 whose log failed while
   * it joined a new leader forgets that: it follows, and acknowledges nothing. With a third that joins late, no write
   * goes through until it is started again.
   */
  readonly goesOnWithFullDisk: boolean;
}

/** How long a session of ZooKeeper lives without its client, in milliseconds. */
const ZOOKEEPER_SESSION_MS = 3_000;

export const ZOOKEEPER: Product = {
  name: 'ZooKeeper 3.8',
  implementation: 'zk2',
  available: () => available.zookeeper('3.8'),
  start: (members: 1 | 3 = 3) =>
    startZooKeeper({
      version: '3.8',
      members,
      // A member without the others turns away clients that do not ask for reading alone, in place of all.
      javaFlags: ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dreadonlymode.enabled=true'],
      config: { tickTime: '500', syncLimit: '4', maxSessionTimeout: String(ZOOKEEPER_SESSION_MS) },
    }),
  isLeader: async ({ address }) => (await fourLetterWord(address, 'srvr')).includes('Mode: leader'),
  manyEntries: true,
  actsLate: false,
  goesOnWithFullDisk: false,
};

export const ETCD: Product = {
  name: 'etcd 3.5',
  implementation: 'etcd2',
  available: () => available.etcd('3.5'),
  start: (members: 1 | 3 = 3) => startEtcd({ version: '3.5', members }),
  isLeader: async ({ address }) => {
    const status = await json(`http://${address}/v3/maintenance/status`, { method: 'POST', body: '{}' });
    const header = field(status, 'header');
    return field(status, 'leader') === field(header, 'member_id');
  },
  manyEntries: true,
  actsLate: false,
  goesOnWithFullDisk: true,
};

/** The retired format of etcd, whose locks do not end with their holders. */
export const OLD_ETCD: Product = {
  name: 'etcd 3.3, by its old API',
  implementation: 'etcd',
  available: () => available.etcd('3.3'),
  start: (members: 1 | 3 = 3) => startEtcd({ version: '3.3', members, flags: ['--enable-v2'] }),
  isLeader: async ({ address }) =>
    field(await json(`http://${address}/v2/stats/self`), 'state') === 'StateLeader',
  manyEntries: true,
  actsLate: true,
  goesOnWithFullDisk: true,
};

export const CONSUL: Product = {
  name: 'Consul 1.8',
  implementation: 'consul',
  available: () => available.consul('1.8'),
  start: (members: 1 | 3 = 3) => startConsul({ version: '1.8', members }),
  isLeader: async ({ address }) => {
    const self = await json(`http://${address}/v1/agent/self`);
    return field(field(field(self, 'Stats'), 'consul'), 'leader') === 'true';
  },
  manyEntries: false,
  actsLate: true,
  goesOnWithFullDisk: true,
};

/** How long an ensemble and its clients get to come back, on a busy machine. */
export const RECOVERY_MS = 40_000;

/** A member that runs, and that fits; waits for one. */
export async function findMember(
  cluster: Cluster,
  what: string,
  fits: (member: Member) => Promise<boolean>,
): Promise<Member> {
  return eventually(
    what,
    async () => {
      for (const member of cluster.members) {
        if (member.pid() !== undefined && (await fits(member).catch(() => false))) return member;
      }
      throw new Error('none');
    },
    RECOVERY_MS,
  );
}

async function json(url: string, init: RequestInit = {}): Promise<unknown> {
  const reply = await fetch(url, { ...init, signal: AbortSignal.timeout(1_000) });
  return reply.json();
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : value;
}
