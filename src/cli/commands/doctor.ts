import { examine, type Probes } from '../../copy/preflight/examine.js';
import { placeParts } from '../../copy/preflight/plan.js';
import { systemClock } from '../../topo/clock.js';
import { type Command, switchFlags, textFlag } from '../command.js';
import { copyOptions, PLANNING_FLAGS } from '../copy-flags.js';
import { journalOf, withJournal } from '../copying.js';
import { dialFrom, readMatrix } from '../doctor-matrix.js';
import { type DoctorSides, readUnopened, withSides } from '../doctor-sides.js';
import { doctorExit, doctorJson, doctorText } from '../doctor-text.js';
import { type Flags, text, texts, usage } from '../flags.js';
import { type Io, json } from '../io.js';
import { PAIR_WORDS } from '../topologies.js';

export const doctorCommand: Command = {
  command: 'doctor [source] [destination]',
  describe: 'find out everything that can be known before a migration; exit 4 when it must not start',
  words: PAIR_WORDS,
  flags: [
    ...PLANNING_FLAGS,
    ...switchFlags('skip-probe'),
    ...switchFlags('probe-source').map((spec) => ({ ...spec, spoken: true as const })),
    textFlag(
      'from-here',
      'CELL that this host is in: dial every server of every cell from here, nothing else',
      {
        spoken: true,
      },
    ),
    textFlag(
      'matrix',
      'file that doctor --from-here … --output json wrote: put together and judged (repeatable)',
      {
        spoken: true,
        many: true,
      },
    ),
  ],
  examples: [
    ['$0 doctor --config topo2topo.yaml', 'both sides, and what a copy would stop at'],
    ['$0 doctor --from zk2://zk1:2181/vitess/global', 'one side alone'],
    ['$0 doctor --config topo2topo.yaml --from-here zone1 --output json > zone1.jsonl', 'on a host of zone1'],
    ['$0 doctor --matrix zone1.jsonl --matrix zone2.jsonl', 'who reaches whom'],
  ],
  async run(flags, io, signal) {
    const files = texts(flags, 'matrix');
    const cell = text(flags, 'from-here');
    if (files.length > 0 && cell !== undefined)
      throw usage('--matrix and --from-here exclude one another', 'dial first, then put together');
    if (files.length > 0) return readMatrix(files, flags, io);
    const probes = {
      source: flags['probe-source'] === true && cell === undefined,
      destination: flags['skip-probe'] !== true && cell === undefined,
    };
    return withSides(flags, io, signal, probes, (sides) =>
      cell === undefined
        ? judge(sides, flags, io, signal, probes)
        : dialFrom(cell, sides, placing(sides, flags, signal), flags, io, signal),
    );
  },
};

async function judge(
  sides: DoctorSides,
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  probes: Probes,
): Promise<number> {
  const { pair, from, to } = sides;
  const copy =
    pair === undefined
      ? undefined
      : withJournal(copyOptions(flags, pair, signal, undefined), journalOf(flags, pair), false);
  const result = await examine({
    source: from?.topology,
    destination: to?.topology,
    unopened: (await Promise.all([from, to].map(readUnopened))).flat(),
    copy,
    journal: text(flags, 'journal'),
    probes,
    lockTtlMs: to?.flags.lockTtlMs,
    clock: systemClock,
    concurrency: Number(flags['concurrency']),
    signal,
  });
  io.out(flags['output'] === 'json' ? json(doctorJson(sides, result)) : doctorText(io, result));
  return doctorExit(result.found);
}

/** Where the destination's cells are. */
async function placing({ pair }: DoctorSides, flags: Flags, signal: AbortSignal) {
  return pair === undefined ? [] : (await placeParts(copyOptions(flags, pair, signal, undefined))).cells;
}
