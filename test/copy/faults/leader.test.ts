import { LEADER_CHANGE } from './kinds-of-fault.js';
import { runScenes } from './suite.js';

runScenes(LEADER_CHANGE);
