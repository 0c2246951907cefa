import { describe } from 'vitest';
import { runConformance } from '../conformance/index.js';
import { available } from '../servers/index.js';
import { nativeClientBuilt } from '../support/native.js';
import { loudSkip } from '../support/notices.js';
import { zk2Subject } from './zk2-subject.js';

loudSkip(
  'the zookeeper package is not tested with servers that go down or freeze: its addon can abort the process then',
);

describe.runIf(available.zookeeper('3.8') && nativeClientBuilt())('the zookeeper package', () => {
  runConformance(zk2Subject('3.8', 'native'));
});
