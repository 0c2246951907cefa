import { CELL_COMMANDS } from './cells.js';
import type { VtctlCommand } from './command.js';
import { FILE_COMMANDS } from './files.js';
import { KEYSPACE_COMMANDS } from './keyspaces.js';
import { REFUSED_COMMANDS } from './refused.js';
import { SERVING_COMMANDS } from './serving.js';
import { SHARD_COMMANDS } from './shards.js';
import { TABLET_COMMANDS } from './tablets.js';
import { VSCHEMA_COMMANDS } from './vschema.js';

/** Every command of vtctl that is offered here. */
export const VTCTL_COMMANDS: readonly VtctlCommand[] = [
  ...CELL_COMMANDS,
  ...KEYSPACE_COMMANDS,
  ...SHARD_COMMANDS,
  ...TABLET_COMMANDS,
  ...VSCHEMA_COMMANDS,
  ...SERVING_COMMANDS,
  ...FILE_COMMANDS,
];

/** Every name that is understood, offered or refused. */
export const KNOWN_NAMES: readonly string[] = [
  ...VTCTL_COMMANDS.flatMap(({ name, also = [] }) => [name, ...also]),
  ...REFUSED_COMMANDS.keys(),
];

/** A command by any of its names, in any case, as vtctl takes them. */
export function commandNamed(name: string): VtctlCommand | undefined {
  const wanted = name.toLowerCase();
  return VTCTL_COMMANDS.find((each) =>
    [each.name, ...(each.also ?? [])].some((one) => one.toLowerCase() === wanted),
  );
}

/** What to use instead of a command that is refused by name. */
export function insteadOf(name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const [refused, instead] of REFUSED_COMMANDS) if (refused.toLowerCase() === wanted) return instead;
  return undefined;
}
