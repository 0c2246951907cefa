import { NEWEST } from '../../graph/target.js';
import { lint } from '../../lint/lint.js';
import { FINDINGS, type FindingId, isFindingId } from '../../lint/table.js';
import { systemClock } from '../../topo/clock.js';
import { type Command, textFlag } from '../command.js';
import { parseDuration } from '../durations.js';
import { type Flags, shown, text, texts, usage } from '../flags.js';
import { json, jsonLine } from '../io.js';
import { LintFindings, SEVERITIES } from '../lint-findings.js';
import { lintExit, lintJson, lintText, lintVerdict } from '../lint-text.js';
import { nearest } from '../nearest.js';
import { ADDRESS_WORD, listed, PLACE_FLAGS, withPlace } from '../place.js';
import { TARGET_FLAG, targetOf, titleOf } from './graph-part.js';

const LOCK_AGE = '1h';

export const lintCommand: Command = {
  command: 'lint [address]',
  describe: 'find what is wrong within one topology; exit 1 when something is',
  words: [ADDRESS_WORD],
  flags: [
    ...PLACE_FLAGS.map((spec) =>
      spec.name === 'output' ? { ...spec, choices: ['text', 'json', 'jsonl'] } : spec,
    ),
    textFlag('cells', 'these cells’ stores alone, beside the global one: zone1,zone2 (default: all)'),
    textFlag(
      TARGET_FLAG.name,
      `what this version of Vitess makes of the records (default: ${titleOf(NEWEST)}, or 2.1 for a retired format)`,
    ),
    textFlag('fail-on', 'severity from which on a finding makes exit 1', {
      choices: SEVERITIES,
      preset: 'warn',
      spoken: true,
    }),
    textFlag('ignore', 'findings of this name count for nothing, for example blank-hostname', {
      many: true,
      spoken: true,
    }),
    textFlag('lock-age', 'a lock that is held for longer is stale', { preset: LOCK_AGE }),
    { name: 'limit', kind: 'number', preset: 100, describe: 'findings of one name that are shown' },
  ],
  examples: [
    ['$0 lint zk2://zk1:2181/vitess/global', 'everything, in all cells'],
    ['$0 lint zk2://zk1:2181/vitess/global --target-version 19', 'before an upgrade to Vitess 19'],
    ['$0 lint file:./monday.topo --ignore blank-hostname', 'a backup, stopped tablets or not'],
  ],
  run: (flags, io, signal) =>
    withPlace(flags, io, signal, { names: [], access: 'read' }, async ({ topology }) => {
      const target = targetOf(flags, topology);
      const found = new LintFindings({
        address: topology.spelled,
        isOld: topology.global.capabilities.form !== undefined,
        failOn: SEVERITIES.find((each) => each === text(flags, 'fail-on')) ?? 'warn',
        ignore: ignoredIds(flags),
        limit: Number(flags['limit']),
      });
      const lockAgeMs = parseDuration(text(flags, 'lock-age') ?? LOCK_AGE, '--lock-age');
      const cells = listed(flags, 'cells');
      const isStream = flags['output'] === 'jsonl';
      const findings = lint({ topology, cells, target, lockAgeMs, clock: systemClock, signal });
      const stores = await drain(findings, (each) => {
        const { shown: finding, isIgnored } = found.add(each);
        if (isStream) io.out(jsonLine({ line: isIgnored ? 'ignored' : 'finding', ...finding }));
      });
      const title = titleOf(target);
      if (isStream) io.out(jsonLine({ line: 'verdict', ...lintVerdict(found, stores, title) }));
      else if (flags['output'] === 'json') io.out(json(lintJson(found, stores, title)));
      else io.out(lintText(io, found, stores, title));
      return lintExit(found);
    }),
};

/** Hands on what a generator yields; answers with what it returns. */
async function drain<T, R>(items: AsyncGenerator<T, R>, each: (item: T) => void): Promise<R> {
  for (;;) {
    const next = await items.next();
    if (next.done === true) return next.value;
    each(next.value);
  }
}

/** Refuses names of findings that there are not: what they were to stand for would count after all. Usage. */
function ignoredIds(flags: Flags): ReadonlySet<FindingId> {
  return new Set(
    texts(flags, 'ignore').map((name) => {
      if (isFindingId(name)) return name;
      const meant = nearest(name, Object.keys(FINDINGS));
      throw usage(
        `--ignore ${shown(name)} names no finding`,
        meant.length === 0 ? 'every finding is shown with its name' : `did you mean ${meant.join(' or ')}?`,
      );
    }),
  );
}
