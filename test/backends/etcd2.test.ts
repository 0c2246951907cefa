import { Etcd3 } from 'etcd3';
import { backend } from '../../src/backends/etcd2/index.js';
import { addressFromTriple } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { runConformance } from '../conformance/index.js';
import { available, ETCD_VERSIONS, type EtcdCluster, startEtcd } from '../servers/index.js';

for (const version of ETCD_VERSIONS) {
  if (!available.etcd(version)) continue;
  let etcd: EtcdCluster;
  runConformance({
    name: `etcd2, etcd ${version}`,
    start: async () => {
      etcd = await startEtcd({ version });
    },
    stop: () => etcd.stop(),
    open: (root, { requestTimeoutMs = 10_000 } = {}) =>
      backend.connect(addressFromTriple('etcd2', etcd.servers, root), {
        clock: systemClock,
        random: Math.random,
        connectTimeoutMs: 10_000,
        requestTimeoutMs,
      }),
    faults: {
      kill: () => etcd.kill(),
      restart: () => etcd.restart(),
      freeze: () => etcd.freeze(),
      thaw: () => etcd.thaw(),
    },
    raw: {
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
  });
}
