import { describe } from 'vitest';
import { runConformance } from '../conformance/index.js';
import { available } from '../servers/index.js';
import { zk2Subject } from './zk2-subject.js';

describe.runIf(available.zookeeper('3.8'))('the zookeeper package', () => {
  runConformance(zk2Subject('3.8', 'native'));
});
