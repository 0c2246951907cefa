import { describe } from 'vitest';
import { runConformance } from '../conformance/index.js';
import { available } from '../servers/index.js';
import { isNightly } from '../support/nightly.js';
import { zk2Subject } from './zk2-subject.js';

// What TLS changes is tested beside the client; the whole contract over it is for the nightly tests.
describe.runIf(isNightly && available.zookeeper('3.9'))('3.9 over TLS', () =>
  runConformance(zk2Subject('3.9', 'own', 'tls')),
);
