import { afterAll, beforeAll } from 'vitest';
import { openReader, type Reader } from '../../src/zookeeper/reader-process.js';

/**
 * Keeps the process that reads through the package while tests run, which all that they open shares: begun from source, it takes longer than most
 * commands do. Called after what starts the server.
 */
export function keepReader(servers: () => string): void {
  let reader: Reader | undefined;
  beforeAll(async () => {
    reader = openReader({ servers: servers().split(',') });
    await reader?.opened.catch(() => {});
  });
  afterAll(() => reader?.close());
}
