import { LOST_ANSWERS } from './kinds-of-fault.js';
import { runScenes } from './suite.js';

runScenes(LOST_ANSWERS);
