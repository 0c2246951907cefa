import { describe } from 'vitest';
import { OLD_ETCD } from './ensemble.js';
import { runScenarios } from './suite.js';

// Its client is that of all who speak HTTP, and its servers are etcd's: what goes wrong is seen with those on every run.
describe.runIf(process.env['TOPO2TOPO_NIGHTLY'] !== undefined)('nightly', () => runScenarios(OLD_ETCD));
