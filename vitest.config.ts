import { defineConfig } from 'vitest/config';
import { CountsReporter } from './test/support/counts.js';
import { LongestFirst } from './test/support/order.js';

const counts = process.env['TOPO2TOPO_TEST_COUNTS'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', ...(counts === undefined ? [] : [new CountsReporter(counts)])],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    setupFiles: ['test/support/orphan.ts'],
    // Each file has servers of its own beside it, and mostly waits for them: more at once than this make them time out on two cores.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
