import { type PreparedCopy, planCopy } from '../../copy/copy.js';
import { planReasons } from '../../copy/reasons.js';
import { moved } from '../../exporting/moved.js';
import { readTree, type Tree } from '../../exporting/read-tree.js';
import { treeAddress, treeStores } from '../../exporting/tree-store.js';
import { systemClock } from '../../topo/clock.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { Topology } from '../../topo/topology.js';
import { verify } from '../../verify/verify.js';
import { FORCE_FLAG, unsaid } from '../changes.js';
import { type Command, switchFlags } from '../command.js';
import { copyOptions, IMPORT_FLAGS } from '../copy-flags.js';
import { copyJson, doneText, dryRunText, planText } from '../copy-text.js';
import { carryOutCopy, GO_ON_AGAIN } from '../copying.js';
import { Exit } from '../exit.js';
import { Unconfirmed } from '../failure.js';
import { type Flags, text, usage } from '../flags.js';
import { count, type Io, json } from '../io.js';
import { listLines } from '../lists.js';
import { isGiven, spokenSwitch } from '../place.js';
import { copyProgress } from '../progress.js';
import { reasonsText } from '../reasons.js';
import { openSide, type Pair, readSideFlags, ruleOf } from '../topologies.js';
import { verifyExit, verifyJson, verifyText } from '../verify-text.js';

export const importCommand: Command = {
  command: 'import [folder] [destination]',
  describe: 'write what was edited in an exported tree of files; shows the plan, writes with --yes',
  words: [
    { name: 'folder', describe: 'the folder that topo2topo export made' },
    { name: 'destination', describe: 'address of the topology to write to (or --to)' },
  ],
  flags: [
    ...IMPORT_FLAGS,
    ...switchFlags('dry-run'),
    ...switchFlags('yes').map((spec) => ({ ...spec, spoken: true as const })),
    FORCE_FLAG,
    spokenSwitch('allow-removed', 'accept that files of the export are gone; --delete deletes their records'),
    spokenSwitch('allow-moved', 'write over records that changed in the destination since the export'),
  ],
  examples: [
    ['$0 import ./tree zk2://zk1:2181/vitess/global', 'what was edited, and what would be written'],
    ['$0 import ./tree zk2://zk1:2181/vitess/global --yes', 'write it, and compare'],
  ],
  async run(flags, io, signal) {
    const folder = text(flags, 'folder');
    if (folder === undefined || folder === '')
      throw usage('no folder is given', 'give the folder of an export');
    const tree = await readTree(folder);
    if (flags['output'] !== 'json') io.out(treeText(io, folder, tree));
    checkTree(flags, tree);
    const isDone = flags['dry-run'] !== true && isGiven(flags, 'yes');
    const to = readSideFlags(flags, io, signal, 'to', isDone ? 'write' : 'plan');
    const stores = treeStores(tree.records, systemClock);
    const destination = await openSide(to);
    try {
      const source = await Topology.open({ global: treeAddress(folder), stores });
      return await importTree(flags, io, signal, tree, { source, destination, rule: ruleOf(flags, to) });
    } finally {
      await destination.close();
    }
  },
};

async function importTree(flags: Flags, io: Io, signal: AbortSignal, tree: Tree, pair: Pair): Promise<Exit> {
  const asText = flags['output'] !== 'json';
  const progress = copyProgress(io, { clock: systemClock, asJson: !asText });
  const options = { ...copyOptions(flags, pair, signal, undefined), onProgress: progress.update };
  const changed = tree.records.filter(({ isChanged }) => isChanged).map(({ file }) => file);
  const also = { command: 'import', changed, removed: tree.removed.map(({ file }) => file) };
  const started = options.clock.now();
  try {
    const prepared = await planCopy(options);
    if (!isGiven(flags, 'allow-moved')) await checkMoved(tree, prepared, signal);
    const reasons = await planReasons(prepared, pair.destination, { signal });
    progress.pause();
    if (asText) io.out([planText(io, pair, prepared, undefined), ...reasonsText(io, reasons)].join('\n'));
    const planned = { ...copyJson(pair, prepared.plan, undefined, undefined), ...also, reasons };
    const toWrite = prepared.plan.scopes.reduce((sum, scope) => sum + scope.toWrite, 0);
    if (asText && !isGiven(flags, 'yes')) io.out(dryRunText(io, prepared.plan));
    if (flags['dry-run'] === true || toWrite === 0) {
      if (!asText) io.out(json(planned));
      return Exit.Ok;
    }
    const missing = unsaid(flags, reasons, true);
    if (missing.length > 0) {
      const hint = `look at the plan (or at --dry-run); to carry it out, add ${missing.join(' ')}`;
      const what = `${count(toWrite, 'record')} would be written`;
      throw new Unconfirmed(what, pair.destination.global.store, hint, { ...planned, dryRun: false });
    }
    const result = await carryOutCopy(prepared, options, progress, GO_ON_AGAIN);
    progress.pause();
    const { source, destination } = pair;
    const allowEmptyCells = isGiven(flags, 'allow-empty-cells');
    const { concurrency } = options;
    const report = await verify({ source, destination, concurrency, allowEmptyCells, signal });
    if (asText)
      io.out([doneText(io, result, options.clock.now() - started), verifyText(io, pair, report)].join('\n'));
    else {
      const done = copyJson(pair, prepared.plan, result, undefined);
      io.out(json({ ...done, ...also, reasons, verification: verifyJson(pair, report) }));
    }
    return verifyExit(report);
  } finally {
    progress.pause();
  }
}

function treeText(io: Io, folder: string, { head, records, removed }: Tree): string {
  const { yellow } = io.colors;
  const files = (isNew: boolean) =>
    records
      .filter(({ isChanged, exported }) => isChanged && (exported === undefined) === isNew)
      .map(({ file }) => file);
  return [
    `${folder}: exported ${head.exported} from ${head.from}, ${count(records.length, 'record')}`,
    ...listLines(io, 'edited', files(false)),
    ...listLines(io, 'new', files(true)),
    ...listLines(
      io,
      yellow('gone'),
      removed.map(({ file }) => file),
    ),
  ].join('\n');
}

/** Refuses what Vitess takes for wrong (Usage), and files that are gone (Guard). */
function checkTree(flags: Flags, { problems, removed }: Tree): void {
  const [first] = problems;
  if (first !== undefined && !isGiven(flags, 'force')) {
    const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
    throw usage(
      `${first.file}: ${first.text}${more}`,
      `${first.hint ?? 'nothing is written'}; to write it all the same, add --force`,
    );
  }
  if (removed.length === 0 || isGiven(flags, 'allow-removed')) return;
  throw new TopologyError(
    ErrorCode.Guard,
    `${count(removed.length, 'file')} of the export ${removed.length === 1 ? 'is' : 'are'} gone: ${removed
      .slice(0, 10)
      .map(({ file }) => file)
      .join(', ')}`,
    {
      hint: 'if they were removed on purpose, add --allow-removed; their records are deleted only with --delete',
    },
  );
}

/** Refuses to write over what somebody changed since the export: Guard. */
async function checkMoved(tree: Tree, { plan, parts }: PreparedCopy, signal: AbortSignal): Promise<void> {
  const found = await moved(
    tree,
    plan.scopes,
    async (scope) => parts.find((part) => part.scope === scope)?.to(),
    {
      signal,
    },
  );
  if (found.length === 0) return;
  throw new TopologyError(
    ErrorCode.Guard,
    `records of the destination are not as they were exported: ${found.slice(0, 20).join('; ')}${found.length > 20 ? `, and ${found.length - 20} more` : ''}`,
    {
      hint: 'the import would take them back: export again and edit that; --allow-moved writes what the tree has all the same',
    },
  );
}
