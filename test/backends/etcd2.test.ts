import { Etcd3 } from 'etcd3';
import { describe } from 'vitest';
import { backend } from '../../src/backends/etcd2/index.js';
import { addressFromTriple } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { runConformance, type Subject } from '../conformance/index.js';
import { available, ETCD_VERSIONS, type EtcdCluster, type EtcdVersion, startEtcd } from '../servers/index.js';
import { isNightly } from '../support/nightly.js';
import { etcdRivals } from './etcd2-rivals.js';
import { compactEtcd } from './etcd2-support.js';

function subject(version: EtcdVersion): Subject {
  let etcd: EtcdCluster;
  return {
    name: `etcd2, etcd ${version}`,
    start: async () => {
      etcd = await startEtcd({ version });
    },
    stop: () => etcd.stop(),
    servers: () => etcd.servers,
    open: (root, { requestTimeoutMs = 10_000, servers = etcd.servers, lockTtlMs } = {}) =>
      backend.connect(addressFromTriple('etcd2', servers, root), {
        clock: systemClock,
        random: Math.random,
        connectTimeoutMs: 10_000,
        requestTimeoutMs,
        lockTtlMs,
      }),
    faults: {
      // etcd 3.3 with one member acknowledges before its log is written: a kill loses what a production cluster keeps.
      kill: () => (version === '3.3' ? etcd.member.stop() : etcd.kill()),
      restart: () => etcd.restart(),
      freeze: () => etcd.freeze(),
      thaw: () => etcd.thaw(),
    },
    raw: {
      ...etcdRivals(() => etcd),
      compact: () => compactEtcd(etcd),
      ephemeral: async (root, path, bytes) => {
        const client = new Etcd3({ hosts: etcd.servers });
        const lease = client.lease(600);
        await lease.put(`${root}/${path}`).value(Buffer.from(bytes));
        return async () => {
          await lease.revoke();
          client.close();
        };
      },
    },
  };
}

/** Between the oldest and the newest, which differ more: for the nightly tests. */
const BETWEEN = '3.4';

for (const version of ETCD_VERSIONS)
  describe.runIf(available.etcd(version) && (isNightly || version !== BETWEEN))(version, () =>
    runConformance(subject(version)),
  );
