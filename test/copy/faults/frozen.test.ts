import { FREEZE } from './kinds-of-fault.js';
import { runScenes } from './suite.js';

runScenes(FREEZE);
