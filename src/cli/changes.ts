import type { Reason } from '../editing/judge.js';
import { applyChanges, type Change, checkChanges } from '../topo/changes.js';
import { classify } from '../topo/kinds.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import { switchFlags, textFlag } from './command.js';
import { differenceLines } from './differences.js';
import { Exit } from './exit.js';
import { Unconfirmed } from './failure.js';
import { writeNewFile } from './files.js';
import { type Flags, text } from './flags.js';
import { count, type Io, json, jsonLine } from './io.js';
import { printable } from './lists.js';
import { spokenSwitch } from './place.js';
import { reasonsText } from './reasons.js';

/** Flags of the commands that change records. */
export const PLAN_FLAGS = [
  ...switchFlags('dry-run'),
  textFlag('undo-file', 'new file for what puts it back, in place of a line of the output'),
];
/** Flags of those that delete. */
export const DELETE_FLAGS = [
  ...PLAN_FLAGS,
  ...switchFlags('yes').map((spec) => ({ ...spec, spoken: true as const })),
];
/** The flag that does without checks. */
export const FORCE_FLAG = spokenSwitch('force', 'do it in spite of what the checks find');

/** How a command may use the stores: nothing is written that is only shown. */
export function accessOf(flags: Flags, deletes: boolean): 'plan' | 'write' {
  return flags['dry-run'] === true || (deletes && flags['yes'] !== true) ? 'plan' : 'write';
}

/** What {@link carryOut} makes, and how it is shown. */
export interface Planned {
  readonly command: string;
  readonly topology: Topology;
  readonly changes: readonly Change[];
  /** More for programs, in front of the changes. */
  readonly also?: Readonly<Record<string, unknown>>;
  /** Makes the changes. Default: {@link applyChanges}. */
  readonly apply?: () => Promise<void>;
  /** What the command that puts it back needs beside the address. */
  readonly undoFlags?: readonly string[];
  /** What a running cluster makes of them. */
  readonly reasons?: readonly Reason[];
  /** What is shown to people in place of every change. */
  readonly summary?: string;
}

/**
 * Shows planned changes, with what is there now in a form that `undo` reads, and makes them unless they are only to be
 * shown. As {@link checkChanges} before anything is shown; Guard when records would be deleted, or reasons ask for it, and nobody said --yes or --force.
 */
export async function carryOut(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  { command, topology, changes, also = {}, apply, undoFlags = [], reasons, summary }: Planned,
): Promise<number> {
  const dryRun = flags['dry-run'] === true;
  const asText = flags['output'] !== 'json';
  const { store } = topology.global;
  const document = (written: boolean) => ({
    command,
    store,
    ...also,
    dryRun,
    written,
    changes: changes.map(pastChange),
    reasons,
  });
  if (apply === undefined) await checkChanges(topology, changes, { signal });
  if (asText) io.out([summary ?? changesText(io, changes), ...reasonsText(io, reasons ?? [])].join('\n'));
  if (dryRun || changes.length === 0) {
    if (!asText) io.out(json(document(false)));
    else if (changes.length > 0) io.out('dry run: nothing is written');
    return Exit.Ok;
  }
  checkConfirmed(flags, topology, changes, reasons ?? [], document);
  const undo = undoLines(text(flags, 'undo-file'), jsonLine({ changes: changes.map(pastChange) }), (file) =>
    ['topo2topo undo', topology.spelled, file, ...undoFlags, '--yes'].join(' '),
  );
  if (asText) io.out(undo.join('\n'));
  try {
    await (apply?.() ?? applyChanges(topology, changes, { signal }));
  } catch (error) {
    // The output is to be one document, which is then that of the error.
    if (!asText) io.err(undo.join('\n'));
    throw error;
  }
  io.out(asText ? `${io.colors.green('done')} ${count(changes.length, 'record')}` : json(document(true)));
  return Exit.Ok;
}

/** What tells how to put changes back. The file is written before they are made. Usage when that cannot be. */
function undoLines(file: string | undefined, line: string, command: (file: string) => string): string[] {
  if (file === undefined)
    return ['to put it back, save the next line as FILE:', line, `and run: ${command('FILE')}`];
  writeNewFile(file, `${line}\n`);
  return [`to put it back, run: ${command(file)}`];
}

function checkConfirmed(
  flags: Flags,
  topology: Topology,
  changes: readonly Change[],
  reasons: readonly Reason[],
  document: (written: boolean) => object,
): void {
  const deleted = changes.filter(({ after }) => after === undefined).length;
  const missing = unsaid(flags, reasons, deleted > 0);
  if (missing.length === 0) return;
  const what =
    deleted > 0
      ? `${count(deleted, 'record')} would be deleted`
      : 'a running cluster goes by what would change';
  const hint = `look at what is shown (or at --dry-run); to do it, add ${missing.join(' ')}`;
  throw new Unconfirmed(what, topology.global.store, hint, document(false));
}

/** Flags that a person has to give for what is planned, and did not. `always`: whether --yes is needed whatever the reasons. */
export function unsaid(flags: Flags, reasons: readonly Reason[], always: boolean): string[] {
  const needs = new Set(reasons.map((reason) => reason.needs));
  return [
    ...((always || needs.has('yes') || needs.has('force')) && flags['yes'] !== true ? ['--yes'] : []),
    ...(needs.has('force') && flags['force'] !== true ? ['--force'] : []),
  ];
}

function pastChange({ scope, path, before, after }: Change) {
  return { scope, path, before: before?.bytes, after };
}

function changesText(io: Io, changes: readonly Change[]): string {
  if (changes.length === 0) return 'nothing to change';
  return changes.flatMap((change) => [changeLine(io, change), ...fieldLines(change)]).join('\n');
}

function changeLine(io: Io, { scope, path, before, after }: Change): string {
  const { green, red, yellow } = io.colors;
  const mark =
    before === undefined ? green('create') : after === undefined ? red('delete') : yellow('update');
  return `${mark} ${scope}:${printable(path)}`;
}

function fieldLines({ scope, path, before, after }: Change): string[] {
  const { message } = classify(scope === GLOBAL ? 'global' : 'cell', path, before?.ephemeral === true);
  const [a, b] = [before?.bytes ?? new Uint8Array(), after ?? new Uint8Array()];
  // A record that does not decode can be deleted, too.
  return message === null ? [] : (differenceLines(message, a, b) ?? []);
}
