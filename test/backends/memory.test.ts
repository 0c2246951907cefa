import { backend } from '../../src/backends/memory/index.js';
import { memoryStore } from '../../src/backends/memory/stores.js';
import { addressFromTriple } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { runConformance, type Subject } from '../conformance/index.js';
import { memoryOrphan, memoryRivals } from './memory-rivals.js';

function subject(flavour: 'zookeeper' | 'etcd' | 'consul', more: Partial<Subject> = {}): Subject {
  const server = `${flavour}:conformance`;
  return {
    name: `memory, ${flavour}`,
    open: (root, { requestTimeoutMs = 10_000, lockTtlMs } = {}) =>
      backend.connect(addressFromTriple('memory', server, root), {
        clock: systemClock,
        random: Math.random,
        connectTimeoutMs: 10_000,
        requestTimeoutMs,
        lockTtlMs,
      }),
    ...more,
    raw: {
      ephemeral: async (root, path, bytes) => {
        const session = memoryStore(server).putEphemeral(`${root}/${path}`, bytes);
        return async () => memoryStore(server).expireSession(session);
      },
      emptyDirectory: async (root, path) => memoryStore(server).makeDirectory(`${root}/${path}`),
      ...(flavour === 'etcd' ? { compact: async () => memoryStore(server).compact() } : {}),
      rivals: memoryRivals(flavour, () => memoryStore(server)),
      endOwner: async (owner) => memoryStore(server).expireSession(owner),
      orphan: async (root, dir, contents) =>
        memoryOrphan(flavour, memoryStore(server), `${root}/${dir}`, contents),
    },
  };
}

// Of UTF-16 units, as ZooKeeper looks at them.
const REFUSED = [
  [0x01, 0x1f],
  [0x7f, 0x9f],
  [0xd800, 0xf8ff],
  [0xfff0, 0xffff],
] as const;

runConformance(
  subject('zookeeper', {
    refusesName: (name) =>
      name
        .split('')
        .some((unit) =>
          REFUSED.some(([from, to]) => unit >= String.fromCharCode(from) && unit <= String.fromCharCode(to)),
        ),
  }),
);
runConformance(subject('etcd'));
runConformance(subject('consul'));
