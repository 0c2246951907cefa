import type { CommandGroup } from '../command.js';
import { locksBreakCommand } from './locks-break.js';
import { locksHoldCommand } from './locks-hold.js';
import { locksListCommand } from './locks-list.js';

export const locksCommands: CommandGroup = {
  command: 'locks',
  describe: 'who holds which lock, hold one, break one',
  commands: [locksBreakCommand, locksHoldCommand, locksListCommand],
};
