// npm test: installs, builds, checks and tests everything. Arguments go to vitest (npm test -- test/topo).
// The last line printed is `N passed, N failed[, N skipped]`, counting test cases.
import { build, install } from './lib/prepare.js';
import { npmRun, tool } from './lib/run.js';
import { testAndReport } from './lib/tests.js';

const STAGES = [
  ['Packages', () => install((line) => console.log(line))],
  ['Build', () => build()],
  ['Types', () => npmRun('typecheck')],
  ['Style', () => npmRun('lint')],
  ['Directions of imports', () => npmRun('imports')],
  ['Dead code', () => npmRun('deadcode')],
  ['Test servers', () => tool('tsx', ['test/servers/fetch.ts'])],
];

await testAndReport(STAGES, process.argv.slice(2));
