import { defineConfig } from 'vitest/config';
import { CountsReporter } from './test/support/counts.js';

const counts = process.env['TOPO2TOPO_TEST_COUNTS'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', ...(counts === undefined ? [] : [new CountsReporter(counts)])],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Each file has servers of its own beside it: more files at once than two cores carry make them time out.
    maxWorkers: 2,
  },
});
