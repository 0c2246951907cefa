import { ErrorCode, TopologyError } from '../topo/errors.js';
import { cat } from './cat.js';
import { chmod } from './chmod.js';
import type { ZkCommand } from './command.js';
import { cp } from './cp.js';
import { edit } from './edit.js';
import { usage } from './error.js';
import { ls } from './ls.js';
import { rm } from './rm.js';
import { stat } from './stat.js';
import { touch } from './touch.js';
import { wait, watch } from './wait.js';

/** What is offered. */
export const ZK_COMMANDS: readonly ZkCommand[] = [cat, chmod, cp, edit, ls, rm, stat, touch, wait, watch];

/** What the old tool has besides, and what to use instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  addAuth:
    'it counts for one connection, which ends with it: give credentials to every command with -topo-zk-auth-file FILE',
  zip: 'a backup of a topology: topo2topo copy zk2://SERVERS/ROOT file:backup.topo',
  unzip: 'a backup comes back with topo2topo copy file:backup.topo zk2://SERVERS/ROOT',
};

/** A command by its name. Unsupported for one that is not offered, with what to use instead; Usage for one that is none. */
export function zkCommand(name: string): ZkCommand {
  const found = ZK_COMMANDS.find((command) => command.name === name);
  if (found !== undefined) return found;
  const [other, instead] =
    Object.entries(INSTEAD).find(([each]) => each.toLowerCase() === name.toLowerCase()) ?? [];
  if (instead !== undefined)
    throw new TopologyError(ErrorCode.Unsupported, `zk ${other} is not offered here`, { hint: instead });
  throw usage(
    `${JSON.stringify(name)} is no command of zk`,
    `there are ${ZK_COMMANDS.map((command) => command.name).join(', ')}`,
  );
}
