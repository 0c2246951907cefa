import {
  checkRequest,
  type DataStep,
  doneStep,
  type SplitRequest,
  type Step,
  stepsOf,
} from '../../cells/split.js';
import { applyStep, changesOf, checkPlaces, type SplitPlan } from '../../cells/split-changes.js';
import type { ServingOptions, WhileLocked } from '../../cells/split-serving.js';
import { readSplit } from '../../cells/split-state.js';
import { isAtLeast, NEWEST, parseTarget } from '../../graph/target.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { carryOut, DELETE_FLAGS } from '../changes.js';
import { type Command, textFlag } from '../command.js';
import { Exit } from '../exit.js';
import { type Flags, text, usage } from '../flags.js';
import { type Io, json } from '../io.js';
import { whileLocked } from '../locked.js';
import {
  ADDRESS_WORD,
  type Asked,
  isGiven,
  needed,
  PLACE_FLAGS,
  splitList,
  spokenSwitch,
  withPlace,
} from '../place.js';
import { nextText, oldAddress, stepsJson, stepsText } from './cell-split-text.js';
import { titleOf } from './graph-part.js';

const ADDRESS = 'etcd2://etcd1:2379/vitess/global';
const PLACE = '--server-address etcd9:2379 --root /vitess/{cell}';

export const cellSplitCommand: Command = {
  command: 'split [address] [cell] [new-cells]',
  describe: 'make new cells beside one, or in its place; shows all steps, with --yes it does the next one',
  words: [
    ADDRESS_WORD,
    { name: 'cell', describe: 'the cell that there is' },
    { name: 'new-cells', describe: 'the cells to be, with commas: zone2,zone3' },
  ],
  flags: [
    ...PLACE_FLAGS,
    ...DELETE_FLAGS,
    textFlag('server-address', 'servers of the new cells’ local stores', { spoken: true }),
    textFlag('root', 'their root, {cell} standing for the name', { spoken: true }),
    textFlag('alias', 'whether they join the alias of the cell, if it has one', {
      spoken: true,
      choices: ['join', 'apart'],
    }),
    textFlag('target-version', 'rebuild as this version of Vitess does', { preset: titleOf(NEWEST) }),
    spokenSwitch('allow-partial', 'accept a snapshot keyspace whose shards do not cover everything'),
    spokenSwitch('remove-old', 'in the end remove the cell and what is left of its store'),
    spokenSwitch('vtgates-moved', 'no vtgate, VTOrc or vtctld is in the old cell any more'),
    spokenSwitch('force', 'take tablets that were not cleanly stopped for stopped'),
  ],
  examples: [
    [`$0 cell split ${ADDRESS} zone1 zone2,zone3 ${PLACE}`, 'the steps, and which is next'],
    [`$0 cell split ${ADDRESS} zone1 zone2 ${PLACE} --yes`, 'do the next step'],
    [`$0 cell split ${ADDRESS} zone1 zone2 --remove-old`, 'the same, and zone1 goes away'],
    [
      `$0 cell split ${ADDRESS} zone1 zone2 --remove-old --cell-address zone1=etcd1:2379,/vitess/zone1 --yes`,
      'the last step: zone1 has no record any more that says where it was',
    ],
  ],
  run: (flags, io, signal) => {
    const access = willWrite(flags) ? 'write' : 'plan';
    return withPlace(flags, io, signal, { names: ['cell', 'new-cells'], access }, (asked) =>
      split(flags, io, signal, asked),
    );
  },
};

const NOTHING = { dryRun: false, written: false, changes: [] };

async function split(flags: Flags, io: Io, signal: AbortSignal, asked: Asked): Promise<number> {
  const { topology } = asked;
  const request = requestOf(flags, asked);
  checkRequest(request);
  const options = servingOptions(flags, signal);
  const state = await readSplit(topology, request, options);
  const places = { serverAddress: text(flags, 'server-address'), root: text(flags, 'root') };
  const plan: SplitPlan = { topology, state, request, places };
  checkPlaces(plan);
  const steps = stepsOf(state, request);
  const asText = flags['output'] !== 'json';
  if (asText) io.out(stepsText(io, request, steps));
  const next = steps.find(({ done }) => !done);
  const also = { old: request.old, new: request.added, steps: stepsJson(steps) };
  if (!isTools(next)) {
    if (next !== undefined && willWrite(flags)) throw operators(next);
    if (asText) io.out(nextText(io, steps, state));
    else io.out(json({ command: 'cell split', store: topology.global.store, ...also, ...NOTHING }));
    return Exit.Ok;
  }
  const changes = await changesOf(next.name, plan, options);
  const locker: WhileLocked = (keyspace, work) =>
    whileLocked(
      topology,
      [{ dir: `keyspaces/${keyspace}`, action: 'RebuildKeyspace' }],
      io,
      { signal },
      work,
    );
  const exit = await carryOut(shownOnly(flags), io, signal, {
    command: 'cell split',
    topology,
    changes,
    also,
    apply: () => applyStep(next.name, plan, changes, locker, options),
    undoFlags: next.name === 'clear' ? oldAddress(state) : [],
  });
  if (asText) {
    const made = willWrite(flags) ? steps.map((step) => (step === next ? doneStep(step) : step)) : steps;
    io.out(nextText(io, made, state));
  }
  return exit;
}

function willWrite(flags: Flags): boolean {
  return flags['yes'] === true && flags['dry-run'] !== true;
}

/** Without --yes it is shown what would be written, and nothing else. */
function shownOnly(flags: Flags): Flags {
  return willWrite(flags) ? flags : { ...flags, 'dry-run': true };
}

function isTools(step: Step | undefined): step is Step & { readonly name: DataStep } {
  return step?.by === 'tool';
}

function requestOf(flags: Flags, { words }: Asked): SplitRequest {
  const alias = text(flags, 'alias');
  return {
    old: needed(words, 'cell'),
    added: splitList(needed(words, 'new-cells'), 'the list of new cells'),
    alias: alias === 'join' || alias === 'apart' ? alias : undefined,
    removeOld: isGiven(flags, 'remove-old'),
    vtgatesMoved: isGiven(flags, 'vtgates-moved'),
    force: isGiven(flags, 'force'),
  };
}

function servingOptions(flags: Flags, signal: AbortSignal): ServingOptions {
  const target = parseTarget(text(flags, 'target-version') ?? '');
  // They knew a keyspace's cells by Shard.cells, which tablets fill as they start.
  if (!isAtLeast(target, 4))
    throw usage('Vitess 3 and older rebuild no serving graph for a cell without tablets', 'start them first');
  return { signal, target, allowPartial: isGiven(flags, 'allow-partial') };
}

function operators({ title, details }: Step): TopologyError {
  return new TopologyError(ErrorCode.Guard, `the next step is not this command’s: ${title}`, {
    hint: details.slice(0, SHOWN).join('; '),
  });
}

const SHOWN = 5;
