import type { CommandGroup } from '../command.js';
import { checkClusterCommand } from './check-cluster.js';

export const checkCommands: CommandGroup = {
  command: 'check',
  describe: 'the topology against the running cluster',
  commands: [checkClusterCommand],
};
