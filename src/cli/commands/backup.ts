import type { Retention } from '../../copy/backup/files.js';
import { systemClock } from '../../topo/clock.js';
import { sleep } from '../../topo/sleep.js';
import { type BackupPlace, backUp, backupPlace, type DoneBackup } from '../backing-up.js';
import { backupJson, backupText } from '../backup-text.js';
import { type Command, type FlagSpec, switchFlags, textFlag } from '../command.js';
import { parseDuration } from '../durations.js';
import { Exit, exitCodeOf } from '../exit.js';
import { causeOf, errorJson, errorText } from '../failure.js';
import { type Flags, text, usage } from '../flags.js';
import { count, type Io, json, jsonLine } from '../io.js';
import { sideFlags } from '../side-flags.js';
import { COMMON_FLAGS } from '../topologies.js';
import { TOLERANCE_FLAGS } from '../transcoding-flags.js';

const TEN_YEARS_MS = 3_653 * 86_400_000;

const spoken = (spec: FlagSpec): FlagSpec => ({ ...spec, spoken: true });

export const backupCommand: Command = {
  command: 'backup [source] [destination]',
  describe: 'a whole topology as one file, compared with the source; complete, or not there',
  words: [
    { name: 'source', describe: 'address of the topology (or --from)' },
    { name: 'destination', describe: 'file:NAME, or file:FOLDER/ for one file a backup (or --to)' },
  ],
  flags: [
    ...COMMON_FLAGS,
    ...sideFlags('from'),
    ...sideFlags('to').filter(({ name }) => name === 'to'),
    { name: 'concurrency', kind: 'number', preset: 4, describe: 'cells read at the same time' },
    ...switchFlags('allow-empty-cells'),
    ...switchFlags('allow-shrunk', 'allow-other-cell').map(spoken),
    ...TOLERANCE_FLAGS,
    textFlag('every', 'make one after the other, begun this far apart, until Ctrl-C'),
    { name: 'keep', kind: 'number', describe: 'keep so many, the newest; remove older ones' },
    textFlag('keep-for', 'keep those that are younger, for example 30d; remove older ones'),
  ],
  examples: [
    [
      '$0 backup zk2://zk1:2181/vitess/global file:./before-upgrade.topo',
      'one file; one that exists is left as it is',
    ],
    [
      '$0 backup --config topo2topo.yaml --to file:/var/backups/vitess/ --every 1h --keep 24 --keep-for 30d',
      'every hour; the newest 24 stay, and all of the last 30 days',
    ],
  ],
  run: (flags, io, signal) => {
    const place = backupPlace(flags);
    const retention = retentionOf(flags);
    const every = text(flags, 'every');
    if ('file' in place) {
      const given = ['every', 'keep', 'keep-for'].find((name) => flags[name] !== undefined);
      if (given !== undefined)
        throw usage(`--${given} needs a folder`, `end the name with /, as in file:${place.file}/`);
    }
    return every === undefined
      ? once(flags, io, signal, place, retention)
      : always(flags, io, signal, place, { retention, everyMs: parseDuration(every, '--every') });
  },
};

function retentionOf(flags: Flags): Retention {
  const [keep, keepFor] = [flags['keep'], text(flags, 'keep-for')];
  return {
    keep: keep === undefined ? undefined : Number(keep),
    keepForMs: keepFor === undefined ? undefined : parseDuration(keepFor, '--keep-for', TEN_YEARS_MS),
  };
}

async function once(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  place: BackupPlace,
  retention: Retention,
): Promise<number> {
  const done = await backUp(flags, io, signal, place, { retention, clock: systemClock });
  io.out(flags['output'] === 'json' ? json(backupJson(done)) : backupText(io, done));
  return thinnedExit(io, done);
}

/** The exit code of a backup that is made: that of what kept an old one from being removed, if anything did. */
function thinnedExit(io: Io, { failure }: DoneBackup): number {
  if (failure === undefined) return Exit.Ok;
  io.err(
    `the backup is made, and old ones are still there that are not to be kept\n${errorText(io, failure)}`,
  );
  return exitCodeOf(failure);
}

/**
 * Backups until the signal fires. One that fails is named, and the next is made all the same. The exit code is that of the last one that was
 * tried; a stop that gives one up is no failure.
 */
async function always(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  place: BackupPlace,
  { retention, everyMs }: { readonly retention: Retention; readonly everyMs: number },
): Promise<number> {
  const asText = flags['output'] !== 'json';
  const clock = systemClock;
  let made = 0;
  let failed = 0;
  let last: DoneBackup | undefined;
  let exit: number = Exit.Ok;
  while (!signal.aborted) {
    const started = clock.now();
    try {
      last = await backUp(flags, io, signal, place, { retention, clock });
      made += 1;
      io.out(asText ? backupText(io, last) : jsonLine(backupJson(last)));
      exit = thinnedExit(io, last);
    } catch (error) {
      if (signal.aborted) break;
      exit = exitCodeOf(causeOf(error));
      // What was asked for makes no sense, and will make none in an hour.
      if (exit === Exit.Usage && made === 0) throw error;
      failed += 1;
      if (!asText) io.out(jsonLine({ command: 'backup', ...(JSON.parse(errorJson(error)) as object) }));
      const next = new Date(Math.max(clock.now(), started + everyMs)).toISOString();
      io.err([errorText(io, error), `${failedText(io, last)}; the next one begins at ${next}`].join('\n'));
    }
    await sleep(clock, started + everyMs - clock.now(), signal);
  }
  const failures = failed === 0 ? '' : `, ${count(failed, 'backup')} failed`;
  io.err(`stopped: ${count(made, 'backup')} made${failures}; ${goodText(last)}`);
  return exit;
}

function failedText(io: Io, last: DoneBackup | undefined): string {
  return `${io.errColors.red('this backup failed')}, and none was removed: ${goodText(last)}`;
}

function goodText(last: DoneBackup | undefined): string {
  return last === undefined ? 'this run made none that is good' : `the last good one is ${last.file}`;
}
