import { describe } from 'vitest';
import { runConformance } from '../conformance/index.js';
import { available, type ZooKeeperVersion } from '../servers/index.js';
import { nativeClientBuilt } from '../support/native.js';
import { isNightly } from '../support/nightly.js';
import { zookeeperSubject } from './zookeeper-subject.js';

/** On the older one it takes as long again. */
const VERSIONS: readonly ZooKeeperVersion[] = isNightly ? ['3.4', '3.8'] : ['3.8'];

/** Themes that the way of reading has a part in. */
const OF_READING =
  /^(listing|directories|records|values|versions|scan|visibility|concurrency|watch|recursive watch|calls|close|a server .*)$/;

for (const version of VERSIONS) {
  describe.runIf(available.zookeeper(version))(version, () => {
    runConformance(zookeeperSubject(version, undefined));
    // Without the package that was the own client already.
    describe.runIf(nativeClientBuilt())('', () =>
      runConformance(zookeeperSubject(version, 'own'), isNightly ? undefined : OF_READING),
    );
  });
}
