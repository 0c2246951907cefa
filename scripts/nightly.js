// npm run test:nightly: what takes longer than `npm test` may: every failure of servers and networks again and again,
// in an order by chance, under single calls, and under copies and followers; comparisons of stores that are written to, ten
// minutes for each pair; and the whole contract on every release and over TLS. TOPO2TOPO_SEED repeats a run, TOPO2TOPO_NIGHTLY is the number of rounds. Arguments go to vitest
// (npm run test:nightly -- test/failures/etcd.test.ts).
// The last line printed is `N passed, N failed[, N skipped]`, counting test cases.
import { install } from './lib/prepare.js';
import { tool } from './lib/run.js';
import { testAndReport } from './lib/tests.js';

const STAGES = [
  ['Packages', () => install((line) => console.log(line))],
  ['Test servers', () => tool('tsx', ['test/servers/fetch.ts'])],
];

const LONG = [
  'test/failures',
  'test/copy/faults',
  'test/verify/live.test.ts',
  'test/cli/freeze-servers.test.ts',
  'test/backends/zk2-tls-conformance.test.ts',
  'test/backends/zk2-conformance.test.ts',
  'test/backends/zk2-native.test.ts',
  'test/backends/etcd2.test.ts',
  'test/backends/zookeeper-conformance.test.ts',
];

const args = process.argv.slice(2);
const seed = process.env.TOPO2TOPO_SEED ?? String(Math.floor(Math.random() * 2 ** 32));
console.log(`TOPO2TOPO_SEED=${seed}`);
await testAndReport(STAGES, args.length === 0 ? LONG : args, {
  env: { TOPO2TOPO_NIGHTLY: process.env.TOPO2TOPO_NIGHTLY ?? '6', TOPO2TOPO_SEED: seed },
  once: true,
});
