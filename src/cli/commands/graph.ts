import type { CommandGroup } from '../command.js';
import { graphCheckCommand } from './graph-check.js';
import { graphRebuildCommand } from './graph-rebuild.js';

export const graphCommands: CommandGroup = {
  command: 'graph',
  describe: 'the derived serving graph: check it, rebuild it',
  commands: [graphCheckCommand, graphRebuildCommand],
};
