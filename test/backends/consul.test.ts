import { describe } from 'vitest';
import { runConformance, type Subject } from '../conformance/index.js';
import {
  available,
  CONSUL_VERSIONS,
  type ConsulCluster,
  type ConsulVersion,
  startConsul,
} from '../servers/index.js';
import { consulRivals } from './consul-rivals.js';
import { connect } from './consul-support.js';

function subject(version: ConsulVersion): Subject {
  let consul: ConsulCluster;
  return {
    name: `consul, Consul ${version}`,
    start: async () => {
      consul = await startConsul({ version });
    },
    stop: () => consul.stop(),
    servers: () => consul.servers,
    open: (root, { requestTimeoutMs = 10_000, servers = consul.servers, lockTtlMs } = {}) =>
      connect(servers, root.slice(1), { requestTimeoutMs, connectTimeoutMs: 10_000, lockTtlMs }),
    faults: {
      kill: () => consul.kill(),
      restart: () => consul.restart(),
      freeze: () => consul.freeze(),
      thaw: () => consul.thaw(),
    },
    raw: consulRivals(() => consul.apis[0] ?? ''),
  };
}

for (const version of CONSUL_VERSIONS)
  describe.runIf(available.consul(version))(version, () => runConformance(subject(version)));
