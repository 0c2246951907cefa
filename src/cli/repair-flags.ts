import type { FlagSpec } from './command.js';
import { COPY_FLAGS } from './copy-flags.js';
import { type Flags, usage } from './flags.js';
import { spokenSwitch } from './place.js';
import { SWITCHES } from './switches.js';

/** Flags of a copy that a repair takes, too. */
const OF_COPY = /^(allow-|delete$|max-delete$|to-cell-root$|rate$|dry-run$|last-run-certificate$)/;

/** Flags of a repair. What overrules a guard is called as in a copy. */
export const REPAIR_FLAGS: readonly FlagSpec[] = [
  spokenSwitch('repair', 'copy the records that differ from the side that is right, then compare again'),
  spokenSwitch('yes', SWITCHES.yes),
  ...COPY_FLAGS.filter(({ name }) => OF_COPY.test(name)),
];

/** Usage for flags of a repair without one. */
export function checkRepairFlags(given: Flags): void {
  if (given['repair'] === true) return;
  const without = REPAIR_FLAGS.find(
    ({ name }) => name !== ALSO_WITHOUT && given[name] !== undefined && given[name] !== false,
  );
  if (without !== undefined) throw usage(`--${without.name} is given without --repair`);
}

/** A flag of a repair that a comparison takes, too. */
export const ALSO_WITHOUT = 'allow-empty-cells';

/** Whether a repair is asked for. Usage for flags that make no sense with one. */
export function isRepair(flags: Flags): boolean {
  if (flags['repair'] !== true) return false;
  const output = flags['output'];
  if (output !== 'text' && output !== 'json')
    throw usage('a repair is shown as text or json', 'leave --repair out, or choose --output json');
  if (flags['authority'] === 'to' && flags['to-cell-root'] !== undefined)
    throw usage(
      '--to-cell-root says where cells of the destination go, and with --authority to it is only read',
      'the address of a cell that the source lacks is given with --from-cell CELL=SERVER,ROOT',
    );
  return true;
}
