import { describe } from 'vitest';
import { runConformance } from '../conformance/index.js';
import { available, ZOOKEEPER_VERSIONS } from '../servers/index.js';
import { isNightly } from '../support/nightly.js';
import { zk2Subject } from './zk2-subject.js';

/** Between the oldest and the newest, which differ more; most other tests of zk2 run on it. Whole at night only. */
const BETWEEN = '3.8';

for (const version of ZOOKEEPER_VERSIONS)
  describe.runIf(available.zookeeper(version) && (isNightly || version !== BETWEEN))(version, () =>
    runConformance(zk2Subject(version, 'own')),
  );
