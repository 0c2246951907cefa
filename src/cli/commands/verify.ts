import type { Kind } from '../../topo/kinds.js';
import { type Command, switchFlags } from '../command.js';
import { compare } from '../comparing.js';
import { selectingFlags } from '../copy-flags.js';
import type { Exit } from '../exit.js';
import type { Flags } from '../flags.js';
import { type Io, json } from '../io.js';
import { PATROL_FLAGS, patrolWish } from '../patrol-flags.js';
import { ALSO_WITHOUT, checkRepairFlags, isRepair, REPAIR_FLAGS } from '../repair-flags.js';
import { PAIR_FLAGS, PAIR_WORDS } from '../topologies.js';
import { TRANSCODING_FLAGS } from '../transcoding-flags.js';
import { CERTIFYING_FLAGS, JUDGING_FLAGS, judging } from '../verify-flags.js';
import { verifyHtml } from '../verify-html.js';
import { FORMS, streamOf } from '../verify-stream.js';
import { verifyExit, verifyJson, verifyText } from '../verify-text.js';
import { runRepair } from './verify-repair.js';
import { runPatrol } from './verify-watch.js';

export const verifyCommand: Command = {
  command: 'verify [source] [destination]',
  describe: 'compare two topologies, both ways, field by field; exit 1 when they differ',
  words: PAIR_WORDS,
  flags: [
    ...PAIR_FLAGS.map((spec) => (spec.name === 'output' ? { ...spec, choices: FORMS } : spec)),
    ...selectingFlags('compare'),
    ...switchFlags('allow-empty-cells'),
    ...JUDGING_FLAGS,
    ...TRANSCODING_FLAGS,
    ...CERTIFYING_FLAGS,
    ...PATROL_FLAGS,
    ...REPAIR_FLAGS.filter(({ name }) => name !== ALSO_WITHOUT),
  ],
  examples: [
    [
      '$0 verify zk2://zk1:2181/vitess/global etcd2://etcd1:2379/vitess/global',
      'cells are found through each side’s own CellInfo',
    ],
    ['$0 verify --config topo2topo.yaml --settle 30s', 'while a follower brings over what changes'],
    [
      '$0 verify file:./monday.topo etcd2://etcd1:2379/vitess/global',
      'what changed since the backup of Monday',
    ],
    ['$0 verify --config topo2topo.yaml --repair', 'copies what differs from the source, and compares again'],
    [
      '$0 verify --config topo2topo.yaml --authority to --repair --dry-run',
      'after the cutover: what would be copied back to the old store',
    ],
    [
      '$0 verify --config topo2topo.yaml --watch --settle 30s --listen 9185',
      'the patrol: a line for each change of the verdict, metrics and health, until Ctrl-C',
    ],
    [
      '$0 verify --config topo2topo.yaml --watch --authority to --baseline file:before.topo',
      'after the cutover: also every write to the store that was left',
    ],
  ],
  check: checkRepairFlags,
  run(flags: Flags, io: Io, signal: AbortSignal) {
    const patrol = patrolWish(flags);
    const repairs = isRepair(flags);
    if (patrol !== undefined) return runPatrol(flags, patrol, io, signal);
    return repairs ? runRepair(flags, io, signal) : runVerify(flags, io, signal, undefined);
  },
};

/** Compares and shows. `kinds` undefined: everything. */
export async function runVerify(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
): Promise<Exit> {
  const { failOn } = judging(flags);
  const stream = streamOf(flags, io);
  const { pair, report, backups } = await compare(flags, io, signal, kinds, stream?.add);
  const view = { failOn, backups };
  if (stream !== undefined) stream.end(verifyJson(pair, report, view), report);
  else if (flags['output'] === 'json') io.out(json(verifyJson(pair, report, view)));
  else if (flags['output'] === 'html') io.out(verifyHtml(pair, report, view, Date.now()));
  else io.out(verifyText(io, pair, report, view));
  return verifyExit(report, failOn);
}
