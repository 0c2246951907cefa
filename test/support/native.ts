import { createRequire } from 'node:module';
import { loudSkip } from './notices.js';

/**
 * Whether the optional package `zookeeper`, a native addon, was built here, for `describe.runIf`. When it was not,
 * the end of the test run says so.
 */
export function nativeClientBuilt(): boolean {
  try {
    createRequire(import.meta.url)('zookeeper');
    return true;
  } catch {
    loudSkip('the native addon of the package zookeeper was not built: the tests that need it were not run');
    return false;
  }
}

/** What the tests leave out for the package, wherever they do. */
export const NATIVE_FAULTS =
  'the zookeeper package is not tested with servers that go down or freeze: its addon can abort the process then (TOPO2TOPO_NATIVE_FAULTS=1 tries its client)';
