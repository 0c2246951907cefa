import type { CommandGroup } from '../command.js';
import { cellAliasCommand } from './cell-alias.js';
import {
  cellAddCommand,
  cellListCommand,
  cellRemoveCommand,
  cellShowCommand,
  cellUpdateCommand,
} from './cell-info.js';
import { cellRemoveKeyspaceCommand, cellRemoveShardCommand } from './cell-remove-from.js';
import { cellSplitCommand } from './cell-split.js';

export const cellCommands: CommandGroup = {
  command: 'cell',
  describe: 'cells and where their stores are: show, add, change, split, remove',
  commands: [
    cellAddCommand,
    cellAliasCommand,
    cellListCommand,
    cellRemoveCommand,
    cellRemoveKeyspaceCommand,
    cellRemoveShardCommand,
    cellShowCommand,
    cellSplitCommand,
    cellUpdateCommand,
  ],
};
