import { describe } from 'vitest';
import { runConformance } from '../conformance/index.js';
import { available, type ZooKeeperVersion } from '../servers/index.js';
import { isNightly } from '../support/nightly.js';
import { zookeeperSubject } from './zookeeper-subject.js';

/** On the older one it takes as long again. */
const VERSIONS: readonly ZooKeeperVersion[] = isNightly ? ['3.4', '3.8'] : ['3.8'];

for (const version of VERSIONS)
  describe.runIf(available.zookeeper(version))(version, () => runConformance(zookeeperSubject(version)));
