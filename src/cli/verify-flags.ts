import { systemClock } from '../topo/clock.js';
import { CLASSES, type Class } from '../verify/classes.js';
import { isRule, ruleNames } from '../verify/rule-names.js';
import type { Authority, Settling } from '../verify/settle.js';
import { FAIL_ON } from '../verify/verdict.js';
import { type FlagSpec, textFlag } from './command.js';
import { parseDuration } from './durations.js';
import { type Flags, shown, text, texts, usage } from './flags.js';
import { nearest } from './nearest.js';

/** What a comparison is to bear with, and what counts. */
export const JUDGING_FLAGS: readonly FlagSpec[] = [
  textFlag(
    'settle',
    'what differs is read again until it is equal, or has stood unmoved for so long; 0: it is read once',
    {
      preset: '5s',
    },
  ),
  textFlag('authority', 'the side that is right: what it holds is on its way to the other one', {
    choices: ['from', 'to'],
    preset: 'from',
  }),
  textFlag('fail-on', 'class from which on a difference makes exit 1', {
    choices: CLASSES.slice(1),
    preset: FAIL_ON,
    spoken: true,
  }),
  textFlag(
    'ignore',
    'rule whose differences count for nothing, and those within it, for example tablet.tags',
    {
      many: true,
      spoken: true,
    },
  ),
];

/** What a comparison is seen from, and what is kept of it. */
export const CERTIFYING_FLAGS: readonly FlagSpec[] = [
  textFlag(
    'baseline',
    'backup (file:BEFORE.topo) or certificate of before: what moved since as it should is told from what was lost',
    {
      spoken: true,
    },
  ),
  textFlag('certificate', 'file for a certificate of what was compared (schema/certificate.schema.json)', {
    spoken: true,
  }),
  textFlag('certificate-key', 'file with the private ed25519 key, in PEM, that signs it', { spoken: true }),
];

/** {@link JUDGING_FLAGS}, read. */
export interface Judging {
  readonly settle: Settling | undefined;
  readonly authority: Authority;
  readonly failOn: Class;
  readonly ignore: readonly string[];
}

/** Reads {@link JUDGING_FLAGS}; without them, differences are read once. Usage. */
export function judging(flags: Flags): Judging {
  const given = text(flags, 'settle');
  const authority = text(flags, 'authority') === 'to' ? 'destination' : 'source';
  const ignore = texts(flags, 'ignore');
  checkRules(ignore);
  const isNone = given === undefined || /^0+(\.0+)?(s|ms|m|h)?$/.test(given);
  return {
    settle: isNone ? undefined : { clock: systemClock, authority, forMs: parseDuration(given, '--settle') },
    authority,
    failOn: CLASSES.find((each) => each === text(flags, 'fail-on')) ?? FAIL_ON,
    ignore,
  };
}

/** Refuses names of rules that there are not: what they were to stand for would count after all. Usage. */
function checkRules(names: readonly string[]): void {
  const unknown = names.find((name) => !isRule(name));
  if (unknown === undefined) return;
  const meant = nearest(unknown, ruleNames());
  throw usage(
    `--ignore ${shown(unknown)} names no rule`,
    meant.length === 0 ? 'every difference is shown with its rule' : `did you mean ${meant.join(' or ')}?`,
  );
}
