import { CONSUL } from './ensemble.js';
import { runScenarios } from './suite.js';

runScenarios(CONSUL);
