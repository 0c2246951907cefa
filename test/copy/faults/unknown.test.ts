import { EMPTY_LISTING } from './follow-scenes.js';
import { UNKNOWN_OUTCOMES } from './kinds-of-fault.js';
import { runScenes } from './suite.js';

runScenes(UNKNOWN_OUTCOMES, [EMPTY_LISTING]);
