import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tool } from './run.js';

const NOTHING = { passed: 0, failed: 0, skipped: 0, failures: [], notices: [] };

/** More failed cases than these are no accident of a busy machine. */
const SECOND_TRIES = 5;

/** Begins a part of the output. */
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
async function runTests(args, more) {
  const folder = mkdtempSync(join(tmpdir(), 'topo2topo-test-'));
  const countsFile = join(folder, 'counts');
  const noticesFile = join(folder, 'notices');
  const env = { ...more, TOPO2TOPO_TEST_COUNTS: countsFile, TOPO2TOPO_TEST_NOTICES: noticesFile };
  const code = await tool('vitest', ['run', ...args], { env });
  const [counts = NOTHING] = readLines(countsFile);
  const notices = [...new Set(readLines(noticesFile))].sort();
  rmSync(folder, { recursive: true, force: true });
  return { ...counts, failed: code === 0 ? counts.failed : Math.max(1, counts.failed), notices };
}

/**
 * Runs the tests, and the files of a few failed ones again, alone: a case that passes then was too slow beside others on
 * this machine. It does not fail the run, and is told at the end with what went wrong at first.
 */
async function runTestsTwice(args, env) {
  const first = await runTests(args, env);
  const files = [...new Set(first.failures.map(({ file }) => file))];
  const known = first.failures.length === first.failed && files.every((file) => file !== undefined);
  if (first.failed === 0 || first.failed > SECOND_TRIES || !known) return first;
  heading('Once more, alone');
  const second = await runTests([...files, '--maxWorkers=1'], env);
  const notices = [...new Set([...first.notices, ...second.notices])].sort();
  if (second.failed > 0) return { ...first, notices };
  const passed = first.passed + first.failed;
  return { ...first, passed, failed: 0, notices, unsteady: first.failures };
}

/** Runs one stage after the other, and then the tests. A stage is a title and a function that gives an exit code. */
async function runAll(stages, args, env, run) {
  for (const [title, stage] of stages) {
    heading(title);
    const code = await stage();
    if (code === 0) continue;
    console.log(`\nStopped: the stage "${title}" failed (exit ${code}); no test was run.`);
    return { ...NOTHING, failed: 1 };
  }
  heading('Tests');
  return run(args, env);
}

/**
 * Runs the stages and the tests of `args`, with `env` added to the environment, and ends with what was not run and the
 * closing line: `N passed, N failed[, N skipped]`, counting test cases. Unless `once`, a few failed cases are run again.
 */
export async function testAndReport(stages, args, { env = {}, once = false } = {}) {
  const run = once ? runTests : runTestsTwice;
  const result = await runAll(stages, args, env, run).catch((error) => {
    console.log(error);
    return { ...NOTHING, failed: 1 };
  });
  const { passed, failed, skipped, notices, unsteady = [] } = result;
  if (unsteady.length > 0) {
    heading('FAILED AT FIRST, PASSED ALONE: to be mended');
    for (const { file, name, error } of unsteady) console.log(`!! ${file}: ${name}\n   ${error}`);
    console.log('');
  }
  if (notices.length > 0) {
    heading('NOT RUN ON THIS MACHINE');
    for (const notice of notices) console.log(`!! ${notice}`);
    console.log('');
  }
  process.exitCode = failed === 0 ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
}
