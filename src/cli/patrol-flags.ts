import type { PatrolOptions } from '../verify/patrol-options.js';
import { type FlagSpec, textFlag } from './command.js';
import { parseDuration } from './durations.js';
import { type Flags, looksLikeAddress, text, usage } from './flags.js';
import { spokenSwitch } from './place.js';
import { LISTEN_FLAG } from './serve.js';

const INTERVAL = '1s';
const FULL_EVERY = '10m';
/** The longest time after which a patrol ends by itself. */
const MONTH_MS = 31 * 86_400_000;

/** Flags of a comparison that goes on. */
export const PATROL_FLAGS: readonly FlagSpec[] = [
  spokenSwitch('watch', 'go on comparing what moves until Ctrl-C; a line for each change of the verdict'),
  textFlag('interval', `with --watch: time between two looks at what moved (default ${INTERVAL})`, {
    spoken: true,
  }),
  textFlag('full-every', `with --watch: time between complete passes (default ${FULL_EVERY})`, {
    spoken: true,
  }),
  textFlag('for', 'with --watch: end by itself after so long', { spoken: true }),
  // A follower that runs beside it has its own port in the migration file.
  { ...LISTEN_FLAG, describe: `with --watch: ${LISTEN_FLAG.describe}`, spoken: true },
];

/** What flags say of a patrol. */
export interface PatrolWish extends Pick<PatrolOptions, 'intervalMs' | 'fullEveryMs'> {
  /** Milliseconds after which it ends by itself; undefined: it goes on. */
  readonly forMs: number | undefined;
}

/** Flags that are of one comparison, which a patrol is not. */
const OF_ONE = ['repair', 'certificate', 'certificate-key'] as const;

/** What is asked for; undefined: one comparison. Usage for flags that make no sense with a patrol, or without. */
export function patrolWish(flags: Flags): PatrolWish | undefined {
  if (flags['watch'] !== true) {
    const without = PATROL_FLAGS.find(({ name }) => flags[name] !== undefined && flags[name] !== false);
    if (without !== undefined) throw usage(`--${without.name} is given without --watch`);
    return undefined;
  }
  const other = OF_ONE.find((name) => flags[name] !== undefined && flags[name] !== false);
  if (other !== undefined)
    throw usage(`--watch and --${other} exclude one another`, `run topo2topo verify --${other} by itself`);
  const output = flags['output'];
  if (output !== 'text' && output !== 'json')
    throw usage('a patrol tells of itself as text or json', 'choose --output json for a line for each event');
  const baseline = text(flags, 'baseline');
  if (baseline !== undefined && !looksLikeAddress(baseline))
    throw usage(
      'the baseline of a patrol is a backup',
      'a certificate has digests of whole groups alone: give file:BEFORE.topo',
    );
  const given = text(flags, 'for');
  return {
    intervalMs: parseDuration(text(flags, 'interval') ?? INTERVAL, '--interval'),
    fullEveryMs: parseDuration(text(flags, 'full-every') ?? FULL_EVERY, '--full-every'),
    forMs: given === undefined ? undefined : parseDuration(given, '--for', MONTH_MS),
  };
}
