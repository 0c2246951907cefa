import { describe } from 'vitest';
import { runConformance } from '../conformance/index.js';
import { available, ZOOKEEPER_VERSIONS } from '../servers/index.js';
import { zk2Subject } from './zk2-subject.js';

for (const version of ZOOKEEPER_VERSIONS)
  describe.runIf(available.zookeeper(version))(version, () => runConformance(zk2Subject(version, 'own')));
