// npm test: installs, builds, checks and tests everything. Arguments go to vitest (npm test -- test/topo).
// The last line printed is `N passed, N failed[, N skipped]`, counting test cases.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install } from './lib/prepare.js';
import { npmRun, tool } from './lib/run.js';

const say = (line) => console.log(line);

const STAGES = [
  ['Packages', () => install(say)],
  ['Build', () => build()],
  ['Types', () => npmRun('typecheck')],
  ['Style', () => npmRun('lint')],
  ['Directions of imports', () => npmRun('imports')],
  ['Dead code', () => npmRun('deadcode')],
  ['Test servers', () => tool('tsx', ['test/servers/fetch.ts'])],
];

const heading = (title) => console.log(`\n── ${title} ${'─'.repeat(Math.max(0, 76 - title.length))}`);

function readLines(file) {
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

/** Runs the tests; a run that ends badly without a failed test (it crashed, it found no test) counts as a failure. */
async function test(args) {
  const folder = mkdtempSync(join(tmpdir(), 'topo2topo-test-'));
  const countsFile = join(folder, 'counts');
  const noticesFile = join(folder, 'notices');
  const env = { TOPO2TOPO_TEST_COUNTS: countsFile, TOPO2TOPO_TEST_NOTICES: noticesFile };
  const code = await tool('vitest', ['run', ...args], { env });
  const [counts = { passed: 0, failed: 0, skipped: 0 }] = readLines(countsFile);
  const notices = [...new Set(readLines(noticesFile))].sort();
  rmSync(folder, { recursive: true, force: true });
  return { ...counts, failed: code === 0 ? counts.failed : Math.max(1, counts.failed), notices };
}

async function main(args) {
  for (const [title, stage] of STAGES) {
    heading(title);
    const code = await stage();
    if (code === 0) continue;
    console.log(`\nStopped: the stage "${title}" failed (exit ${code}); no test was run.`);
    return { passed: 0, failed: 1, skipped: 0, notices: [] };
  }
  heading('Tests');
  return test(args);
}

const { passed, failed, skipped, notices } = await main(process.argv.slice(2)).catch((error) => {
  console.log(error);
  return { passed: 0, failed: 1, skipped: 0, notices: [] };
});
if (notices.length > 0) {
  heading('NOT RUN ON THIS MACHINE');
  for (const notice of notices) console.log(`!! ${notice}`);
  console.log('');
}
process.exitCode = failed === 0 ? 0 : 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
