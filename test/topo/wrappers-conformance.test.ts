import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import { DelegatingConnection } from '../../src/topo/wrappers/base.js';
import { withDeadline } from '../../src/topo/wrappers/deadline.js';
import { withReadOnly } from '../../src/topo/wrappers/read-only.js';
import { Metrics, withRecording } from '../../src/topo/wrappers/recording.js';
import { withRetry } from '../../src/topo/wrappers/retry.js';
import { runConformance } from '../conformance/index.js';
import { openMemoryAt } from './wrappers-tools.js';

const clock = systemClock;
const retry = (inner: Connection) => withRetry(inner, { clock, random: Math.random });
const deadline = (inner: Connection) => withDeadline(inner, { clock, timeoutMs: 20_000 });
const recording = (inner: Connection) => withRecording(inner, { clock, metrics: new Metrics() });

const WRAPPERS = {
  'the wrapper that only delegates': (inner: Connection) => new DelegatingConnection(inner),
  retry,
  deadline,
  recording,
  'all wrappers together': (inner: Connection) => recording(deadline(retry(inner))),
};

for (const [name, wrap] of Object.entries(WRAPPERS)) {
  const server = `etcd:conformance of ${name}`;
  runConformance({
    name: `${name} over memory`,
    open: async (root, options) => wrap(await openMemoryAt(server, root, options)),
  });
}

runConformance({
  name: 'read-only over memory',
  open: async (root, options) =>
    withReadOnly(await openMemoryAt('etcd:conformance of read-only', root, options)),
  raw: { writer: (root) => openMemoryAt('etcd:conformance of read-only', root) },
});
