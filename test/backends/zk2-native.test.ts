import { describe } from 'vitest';
import { runConformance } from '../conformance/index.js';
import { available } from '../servers/index.js';
import { NATIVE_FAULTS, nativeClientBuilt } from '../support/native.js';
import { loudSkip } from '../support/notices.js';
import { zk2Subject } from './zk2-subject.js';

loudSkip(NATIVE_FAULTS);

describe.runIf(available.zookeeper('3.8') && nativeClientBuilt())('the zookeeper package', () => {
  runConformance(zk2Subject('3.8', 'native'));
});
