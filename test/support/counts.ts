import { writeFileSync } from 'node:fs';
import type { SerializedError } from 'vitest';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** What failed: its file, the name of the test case or of what is around it, and what went wrong. */
interface Failure {
  readonly file: string;
  readonly name: string;
  readonly error: string;
}

function failureOf(test: TestCase): Failure {
  const error = test.result().errors?.[0]?.message ?? 'it did not end';
  return { file: test.module.relativeModuleId, name: test.fullName, error };
}

/** Whatever failed that is no test case: a file that could not be loaded, a hook that threw. */
function failedAround(module: TestModule): Failure[] {
  const file = module.relativeModuleId;
  const suites = [...module.children.allSuites()].map((suite) => [suite.fullName, suite.errors()] as const);
  return [['the file itself', module.errors()] as const, ...suites].flatMap(([name, [error]]) =>
    error === undefined ? [] : [{ file, name, error: error.message }],
  );
}

/**
 * Writes how many test cases passed, failed and were skipped to a file, as JSON, when the run ends, and which failed.
 * Errors outside of test cases count as failures; a case that had not ended when the run did counts as failed.
 */
export class CountsReporter implements Reporter {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const counts = { passed: 0, skipped: 0 };
    const failures: Failure[] = [];
    for (const module of modules) {
      failures.push(...failedAround(module));
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'pending' || state === 'failed') failures.push(failureOf(test));
        else counts[state] += 1;
      }
    }
    writeFileSync(
      this.#file,
      `${JSON.stringify({ ...counts, failed: failures.length + errors.length, failures })}\n`,
    );
  }
}
