import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import type { ZooKeeperClient, ZooKeeperSettings } from '../../src/zookeeper/client.js';
import { connectNativeClient } from '../../src/zookeeper/native.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { connectPackageReads } from '../../src/zookeeper/package-reads.js';
import { available, startZooKeeper, ZOOKEEPER_VERSIONS, type ZooKeeperVersion } from '../servers/index.js';
import { nativeClientBuilt } from '../support/native.js';
import { OPEN, uniquePath } from './support.js';

/** All implementations; the same sentences are about each. */
export const CLIENTS = [
  { name: 'own', connect: connectOwnClient, built: true },
  { name: 'native', connect: connectNativeClient, built: nativeClientBuilt() },
  {
    name: 'own, reading through the package',
    // What the package cannot do at all is for the own client alone.
    connect: (settings: ZooKeeperSettings) =>
      connectPackageReads(settings, {
        required: settings.session === undefined && settings.renewSession !== false,
      }),
    built: nativeClientBuilt(),
  },
] as const;

/** A function that connects, and closes after each test what it connected. */
export function closingConnect(
  connect: (settings: ZooKeeperSettings) => Promise<ZooKeeperClient>,
  servers: () => string,
): (settings?: Partial<ZooKeeperSettings>) => Promise<ZooKeeperClient> {
  const open: ZooKeeperClient[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.close()));
  });
  return async (settings = {}) => {
    const client = await connect({ servers: servers().split(','), ...settings });
    open.push(client);
    return client;
  };
}

/** A ZooKeeper that runs for the sentences beside it. */
export function whileZooKeeperRuns(
  options: () => Parameters<typeof startZooKeeper>[0],
): () => Awaited<ReturnType<typeof startZooKeeper>> {
  let server: Awaited<ReturnType<typeof startZooKeeper>> | undefined;
  beforeAll(async () => {
    server = await startZooKeeper(options());
  });
  afterAll(() => server?.stop());
  return () => {
    if (server === undefined) throw new Error('the server runs while tests do');
    return server;
  };
}

/** What a sentence about all clients on every version is told with. */
export interface Context {
  readonly name: (typeof CLIENTS)[number]['name'];
  readonly version: ZooKeeperVersion;
  /** 3.6 or later. */
  readonly modern: boolean;
  /** `host:port`. */
  readonly server: string;
  /** A client of the test's own. */
  readonly client: ZooKeeperClient;
  /** A node of the test's own, with the data `base`. */
  readonly base: string;
  /** Connects one more. */
  connect(settings?: Partial<ZooKeeperSettings>): Promise<ZooKeeperClient>;
}

/** Runs sentences for each client on each version of ZooKeeper. The context is filled in before each test. */
export function describeClients(sentences: (context: Context) => void): void {
  describe.each(ZOOKEEPER_VERSIONS)('on ZooKeeper %s', (version) => {
    describe.runIf(available.zookeeper(version))('', () => {
      const server = whileZooKeeperRuns(() => ({ version }));

      describe.each(CLIENTS)('the $name client:', ({ name, connect: connectClient, built }) => {
        describe.runIf(built)('', () => {
          const connect = closingConnect(connectClient, () => server().servers);
          let client: ZooKeeperClient;
          let base: string;
          beforeEach(async () => {
            client = await connect();
            base = uniquePath();
            await client.create({ path: base, data: Buffer.from('base'), acl: OPEN });
          });
          sentences({
            name,
            version,
            modern: version !== '3.4',
            get server() {
              return server().servers;
            },
            get client() {
              return client;
            },
            get base() {
              return base;
            },
            connect,
          });
        });
      });
    });
  });
}
