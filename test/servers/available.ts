import { spawnSync } from 'node:child_process';
import { loudSkip } from '../support/notices.js';
import { CONSUL_BUNDLES, type ConsulVersion } from './consul.js';
import { ETCD_BUNDLES, type EtcdVersion } from './etcd.js';
import { type BundleName, unavailable } from './packages.js';
import { ZOOKEEPER_BUNDLES, type ZooKeeperVersion } from './zookeeper.js';

function check(what: string, ...bundles: BundleName[]): boolean {
  const reason = bundles.map(unavailable).find((found) => found !== undefined);
  if (reason !== undefined) loudSkip(`${what} is not to be had: its suites were not run (${reason})`);
  return reason === undefined;
}

/**
 * Whether the server (or certificates for one) can be had here, for `describe.runIf`. When it cannot, the end of the test run says so. Says
 * yes when fetching was never tried: starting the server tries it.
 */
export const available = {
  zookeeper: (version: ZooKeeperVersion): boolean =>
    check(`ZooKeeper ${version}`, ZOOKEEPER_BUNDLES[version], 'java'),
  etcd: (version: EtcdVersion): boolean => check(`etcd ${version}`, ETCD_BUNDLES[version]),
  certificates: (): boolean => {
    const made = spawnSync('openssl', ['version']).status === 0;
    if (!made)
      loudSkip('there is no openssl to make certificates with: the tests that need them were not run');
    return made;
  },
  consul: (version: ConsulVersion): boolean => check(`Consul ${version}`, CONSUL_BUNDLES[version]),
};
