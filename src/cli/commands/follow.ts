import { follow } from '../../copy/follow.js';
import type { FollowState } from '../../copy/follow-options.js';
import { type JournalLock, withJournalLock } from '../../copy/journal-lock.js';
import { formatAddress } from '../../topo/address.js';
import { systemClock } from '../../topo/clock.js';
import { type Command, switchFlags, textFlag } from '../command.js';
import { checkFileDestination, copyOptions, PLANNING_FLAGS } from '../copy-flags.js';
import { journalOf, withJournal } from '../copying.js';
import { parseDuration } from '../durations.js';
import { Exit } from '../exit.js';
import { type Flags, text, usage } from '../flags.js';
import { FollowJournal } from '../follow-journal.js';
import { FollowService, SERVICE_FLAGS } from '../follow-service.js';
import { FollowView } from '../follow-view.js';
import { FREEZE_FLAGS, freezeExit, freezeJson, freezeWish, ledgersFor, runFreeze } from '../freezing.js';
import { type Io, jsonLine } from '../io.js';
import { afterFollow, afterFreeze } from '../next-steps.js';
import { checkCellFlags, PAIR_WORDS, type Pair, pairTitle, withPair } from '../topologies.js';

export const followCommand: Command = {
  command: 'follow [source] [destination]',
  describe: 'copy, and go on copying what changes, one way, until it is stopped',
  words: PAIR_WORDS,
  flags: [
    ...PLANNING_FLAGS,
    ...switchFlags('until-equal', 'resume').map((spec) => ({ ...spec, spoken: true as const })),
    { name: 'rate', kind: 'number', describe: 'records written per second at most' },
    ...FREEZE_FLAGS,
    textFlag('pass-every', 'time between complete passes', { preset: '60s' }),
    textFlag('gather', 'time for which changes are gathered before they are written', { preset: '50ms' }),
    ...SERVICE_FLAGS,
  ],
  examples: [
    ['$0 follow --config topo2topo.yaml --journal follow.journal --resume', 'until Ctrl-C, and again'],
    ['$0 follow --config topo2topo.yaml --listen 9184', 'with metrics and health on this host’s port'],
    ['$0 follow --config topo2topo.yaml --until-equal', 'until a complete pass has nothing to write'],
    [
      '$0 follow --config topo2topo.yaml --until-equal --freeze --freeze-hold 10m',
      'then all locks of the source, kept while vtctld and VTOrc move',
    ],
  ],
  async run(flags, io, signal) {
    const wish = wishOf(flags);
    const view = new FollowView(io, systemClock, flags['output'] === 'json');
    const service = new FollowService(flags, io, systemClock);
    const work = (pair: Pair) =>
      withJournalLock(text(flags, 'journal'), { clock: systemClock, signal }, (lock) =>
        runFollow(pair, flags, io, signal, { view, service, lock }),
      );
    try {
      const url = await service.open(flags);
      if (flags['output'] === 'json' && url !== undefined) io.out(jsonLine({ type: 'listening', url }));
      return await withPair(flags, io, signal, wish === undefined ? 'write' : 'freeze', work, view.retried);
    } catch (error) {
      view.pause();
      await service.stopped(error, signal);
      throw error;
    } finally {
      await service.close();
    }
  },
};

/** Follows, and then freezes if that is asked for. */
async function runFollow(
  pair: Pair,
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  {
    view,
    service,
    lock,
  }: { readonly view: FollowView; readonly service: FollowService; readonly lock: JournalLock },
): Promise<Exit> {
  const wish = wishOf(flags);
  const asText = flags['output'] !== 'json';
  const untilEqual = flags['until-equal'] === true;
  checkFileDestination(flags, pair);
  await checkCellFlags(flags, pair, signal);
  const journal = journalOf(flags, pair, lock);
  const notes = journal === undefined ? undefined : new FollowJournal(journal);
  const resume = flags['resume'] === true;
  let now: () => FollowState | undefined = () => undefined;
  const [from, to] = [pair.source, pair.destination].map(({ address }) => formatAddress(address));
  io.out(asText ? io.colors.bold(`follow ${pairTitle(pair)}`) : jsonLine({ type: 'start', from, to }));
  try {
    const asked = withJournal(copyOptions(flags, pair, signal, undefined), journal, resume);
    const options = wish === undefined ? asked : { ...asked, ledgers: await ledgersFor(pair.source, asked) };
    const state = await follow({
      ...options,
      overrules: { ...asked.overrules, locks: wish !== undefined || asked.overrules?.locks === true },
      passEveryMs: parseDuration(text(flags, 'pass-every') ?? '', '--pass-every'),
      gatherMs: parseDuration(text(flags, 'gather') ?? '', '--gather'),
      untilEqual,
      onPlan: (prepared) => notes?.begin(resume, prepared, options),
      onStart(ask) {
        now = ask;
        view.begin(ask);
        service.begin(ask);
      },
      onPass(plan, ms) {
        notes?.passed(plan, now()?.waiting ?? 0);
        view.passed(plan, ms);
        service.passed(ms);
      },
      onFailure(error, scope) {
        view.failed(error, scope);
        service.failed(error);
      },
      onWritten(scope, entries) {
        view.written(scope, entries);
        service.written(scope, entries);
      },
      onProgress: view.progress,
      onState: view.changed,
    });
    notes?.end();
    const isFreezing = wish !== undefined && !signal.aborted;
    const equal = state.waiting === 0 && state.lagMs === 0;
    view.end(state, isFreezing ? [] : afterFollow({ equal, journal: journal !== undefined }, options));
    if (!isFreezing) return wish === undefined && state.passes > 0 ? Exit.Ok : Exit.Inconclusive;
    const frozen = await runFreeze({ ...options, before: view.plan }, wish, io, asText ? pair : undefined);
    if (!asText) io.out(jsonLine({ type: 'freeze', ...freezeJson(frozen), next: afterFreeze(frozen) }));
    return freezeExit(frozen);
  } finally {
    journal?.close();
  }
}

/** See {@link freezeWish}. A follower comes to a freeze only when it ends by itself. */
function wishOf(flags: Flags): ReturnType<typeof freezeWish> {
  const wish = freezeWish(flags);
  if (wish !== undefined && flags['until-equal'] !== true)
    throw usage('--freeze is given without --until-equal', 'a follower that goes on never comes to it');
  return wish;
}
