import { describe } from 'vitest';
import { runConformance, type Subject } from '../conformance/index.js';
import { available, type EtcdCluster, startEtcd } from '../servers/index.js';
import { etcdRivals } from './etcd-rivals.js';
import { connect, V2 } from './etcd-support.js';

let etcd: EtcdCluster;

const subject: Subject = {
  name: 'etcd (retired) on etcd 3.3',
  start: async () => {
    etcd = await startEtcd({ version: '3.3', flags: ['--enable-v2'] });
  },
  stop: () => etcd.stop(),
  servers: () => etcd.servers,
  open: (root, { requestTimeoutMs = 10_000, servers = etcd.servers, lockTtlMs } = {}) =>
    connect(servers, root, { requestTimeoutMs, connectTimeoutMs: 10_000, lockTtlMs }),
  openServing: (root) => connect(etcd.servers, root, { scope: 'c' }),
  faults: {
    kill: () => etcd.kill(),
    restart: () => etcd.restart(),
    freeze: () => etcd.freeze(),
    thaw: () => etcd.thaw(),
  },
  raw: etcdRivals(new V2(() => etcd.endpoints[0] ?? '')),
  expects: {
    'every byte is kept, in any order and of any text':
      'the v2 API answers in JSON text, so that what is no UTF-8 would come back as something else: it is refused before it is written',
    'lock contents are kept as they are: none, long ones, lines and letters of all kinds':
      'on keyspaces and shards a file without contents stands for a lock that nobody holds: such contents are refused',
  },
  refusesName: (name) => name.startsWith('_'),
};

describe.runIf(available.etcd('3.3'))('3.3', () => runConformance(subject));
