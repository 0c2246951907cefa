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
