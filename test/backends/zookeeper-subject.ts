import { openReader, type Reader } from '../../src/zookeeper/reader-process.js';
import type { Subject } from '../conformance/index.js';
import { startZooKeeper, type ZooKeeperVersion } from '../servers/index.js';
import { RivalProcess } from './zk2-rivals.js';
import { disturbances, rawAccess, refusesName, type ZooKeeperCluster } from './zk2-subject.js';
import { openLegacy } from './zookeeper-tools.js';

/**
 * The cell that a place of the suite is: its roots may be nested, and those of such a store are not. As much shorter as the root around it is
 * long, since the suite counts the bytes of its own.
 */
function cellOf(root: string): string {
  return root.slice('/zk//vt'.length).replaceAll('/', '.');
}

/** Where the place is in the servers. */
function rootOf(root: string): string {
  return `/zk/${cellOf(root)}/vt`;
}

/**
 * The conformance suite's view of a legacy zookeeper store, as that of a cell, on one version of ZooKeeper, read through the own client, or as
 * it is by default: through the package where it is installed.
 */
export function zookeeperSubject(version: ZooKeeperVersion, zkClient: 'own' | undefined): Subject {
  let cluster: ZooKeeperCluster | undefined;
  /** Kept, so that connections share its process: from source it takes longer to begin than most tests. */
  let reader: Reader | undefined;
  const running = (): ZooKeeperCluster => {
    if (cluster === undefined) throw new Error('the server is not started');
    return cluster;
  };
  const plain = () => running().plainServers;
  const rivals = new RivalProcess(plain);
  const { ephemeral, emptyDirectory, orphan, ...raw } = rawAccess(plain);
  const all = rivals.rivals;
  return {
    name: `zookeeper on ZooKeeper ${version}, read through the ${zkClient === 'own' ? 'own client' : 'package by default'}`,
    start: async () => {
      cluster = await startZooKeeper({ version });
      if (zkClient !== 'own') reader = openReader({ servers: cluster.servers.split(',') });
    },
    stop: async () => {
      rivals.stop();
      await reader?.close();
      await cluster?.stop();
    },
    ...disturbances(running),
    open: (root, { servers = running().servers, ...options } = {}) =>
      openLegacy(servers, cellOf(root), { zkClient, ...options }),
    openServing: (root) => openLegacy(running().servers, cellOf(root)),
    raw: {
      ...raw,
      ephemeral: (root, path, bytes) => ephemeral(rootOf(root), path, bytes),
      emptyDirectory: (root, path) => emptyDirectory(rootOf(root), path),
      orphan: (root, dir, contents) => orphan(rootOf(root), dir, contents),
      rivals: all && {
        lock: (root, dir, contents) => all.lock(rootOf(root), dir, contents),
        campaign: (root, name, id) => all.campaign(rootOf(root), name, id),
      },
    },
    refusesName,
    expects: {
      'the capabilities are those of every connection, and make sense':
        'as JSON a batch may be many times as large, so one is less than half of the largest value',
      'a directory of 2,000 names lists them all':
        'its tablets are of a cell of their own, and a znode has the number alone: they have no place in another cell’s store',
      'a place inside another is seen from the outer one, under its path':
        'the stores of cells lie beside one another, none inside another',
    },
  };
}
