import { closeSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Kind } from '../topo/kinds.js';
import { type Entry, EntryList, isWrite } from './entries.js';
import { fileSystem, isNoFile, linesOf, writeText } from './lines.js';
import type { KindCounts, Plan } from './plan.js';
import { type PlanHead, type PlanLine, planLine } from './plan-schema.js';
import { PROTOBUF, servingText, type Transcoded } from './transcoded.js';

const BUFFER_CHARACTERS = 256 * 1024;

/**
 * Writes a plan as JSON Lines while it is made: entries of the parts mixed, those of one part in path order. A plan that
 * lacks its last line is not whole, and is refused.
 */
export class PlanWriter {
  readonly #path: string;
  /** Where it is written until it is whole. */
  readonly #draft: string;
  #file: number | undefined;
  #lines = '';
  #records = 0;

  /** Usage when the file cannot be made, or what is there is no plan. An existing plan is replaced by {@link finish}. */
  constructor(path: string) {
    checkReplaceable(path);
    this.#path = path;
    // A pipe is written to at once: no file can be put in its place.
    this.#draft = isNoFile(path) ? path : `${path}.${process.pid}.part`;
    this.#file = fileSystem(path, 'written', () => openSync(this.#draft, 'w', 0o600));
  }

  entry(scope: string, entry: Entry): void {
    const { action, path, kind, source, destination, reason, bytes } = entry;
    this.#records += 1;
    this.#line({
      type: 'record',
      scope,
      action,
      kind,
      path,
      ...(source === undefined ? {} : { from: source }),
      ...(destination === undefined ? {} : { to: destination }),
      ...(reason === '' ? {} : { reason }),
      ...(bytes.byteLength === 0 ? {} : { bytes: bytes.byteLength }),
    });
  }

  /** Before the first entry. */
  begin(head: PlanHead): void {
    this.#line({ type: 'plan', version: 1, ...head });
  }

  /** Ends the file. Nothing of an unfinished one is a plan. */
  finish(plan: Plan): void {
    for (const { scope, from, to, counts, source, destination, read, transcoded } of plan.scopes) {
      for (const line of toldLines(scope, transcoded)) this.#line(line);
      this.#line({
        type: 'part',
        scope,
        from,
        to,
        read,
        positions: { from: span(source), to: span(destination) },
        ...formsOf(transcoded),
        counts: Object.fromEntries(counts) as Partial<Record<Kind, KindCounts>>,
      });
    }
    this.#line({ type: 'end', records: this.#records });
    this.#flush();
    this.#close();
    if (this.#draft !== this.#path)
      fileSystem(this.#path, 'written', () => renameSync(this.#draft, this.#path));
  }

  /** There will be no plan: what was there before stays. */
  discard(): void {
    this.#close();
    if (this.#draft !== this.#path) rmSync(this.#draft, { force: true });
  }

  #line(line: PlanLine): void {
    this.#lines += `${JSON.stringify(line)}\n`;
    if (this.#lines.length > BUFFER_CHARACTERS) this.#flush();
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #flush(): void {
    if (this.#file === undefined) return;
    writeText(this.#path, this.#file, this.#lines);
    this.#lines = '';
  }
}

/** Refuses to put a plan in the place of another file, a journal for instance: Usage. */
function checkReplaceable(path: string): void {
  const found = fileSystem(path, 'read', () => statSync(path, { throwIfNoEntry: false }));
  if (found?.isFile() !== true) return;
  for (const [, line] of linesOf(path)) {
    if (line.startsWith(BEGINNING)) return;
    throw new TopologyError(
      ErrorCode.Usage,
      `the file ${path} is there, and is no plan: it is not replaced`,
      {
        hint: 'give another name to -o, or remove the file',
      },
    );
  }
}

/** What every plan begins with. */
const BEGINNING = '{"type":"plan",';

/** A line for everything that is told of records that change their form. */
function* toldLines(
  scope: string,
  { losses, derived, notes, left, serving, readBy }: Transcoded,
): Generator<PlanLine> {
  for (const { record, ...loss } of losses)
    yield { type: 'loss', scope, ...(record === undefined ? {} : { record }), ...loss };
  const told = (as: Extract<PlanLine, { type: 'told' }>['as'], path: string, field: string, text: string) =>
    ({ type: 'told', scope, as, path, ...(field === '' ? {} : { field }), text }) as const;
  for (const { path, field, what } of derived) yield told('derived', path, field, what);
  for (const { path, field, text } of notes) yield told('odd', path, field, text);
  for (const { native, why } of left) yield told('left', native, '', why);
  for (const text of readBy.keys()) yield told('read', '', '', text);
  for (const flag of serving) yield told('serving', flag.path, '', `${servingText(flag)}: ${flag.reason}`);
}

function formsOf({
  from,
  to,
  filledIn,
}: Transcoded): Pick<Extract<PlanLine, { type: 'part' }>, 'forms' | 'filledIn'> {
  if (from === undefined && to === undefined) return {};
  return {
    forms: { from: from ?? PROTOBUF, to: to ?? PROTOBUF },
    ...(filledIn.size === 0 ? {} : { filledIn: Object.fromEntries(filledIn) }),
  };
}

/** A plan as it was read from a file. */
export interface SavedPlan {
  readonly head: PlanHead;
  /** Everything that was decided, what is the same included, by scope, in path order. */
  readonly scopes: ReadonlyMap<string, EntryList>;
}

/** Reads a plan file. Usage when it is none, or not whole. */
export function readPlan(path: string): SavedPlan {
  const scopes = new Map<string, EntryList>();
  let head: PlanHead | undefined;
  let records = 0;
  let expected = -1;
  for (const [number, text] of linesOf(path)) {
    const line = planLine(path, number, text);
    if (line.type === 'plan') head = line;
    else if (line.type === 'end') expected = line.records;
    else if (line.type === 'record') {
      records += 1;
      const list = scopes.get(line.scope) ?? new EntryList();
      scopes.set(line.scope, list);
      list.push(entryOf(line));
    }
  }
  if (head === undefined || records !== expected)
    throw new TopologyError(ErrorCode.Usage, `the plan ${path} is not whole: it was cut, or never finished`, {
      hint: 'make it again: topo2topo plan … -o FILE',
    });
  return { head, scopes };
}

function entryOf(line: Extract<PlanLine, { type: 'record' }>): Entry {
  return {
    action: line.action,
    kind: line.kind,
    path: line.path,
    source: line.from,
    destination: line.to,
    reason: line.reason ?? '',
    bytes: new Uint8Array(),
  };
}

/**
 * Compares what is decided now with what a plan says, entry by entry: Guard at the first record that moved since, naming it. What
 * is left out (locks come and go) is not compared. `begun`: a part of the plan may have been carried out already, and is no move.
 */
export class PlanComparison {
  readonly #saved = new Map<string, Iterator<Entry>>();
  readonly #begun: boolean;

  constructor(saved: SavedPlan, { begun }: { readonly begun: boolean }) {
    for (const [scope, list] of saved.scopes) this.#saved.set(scope, relevant(list));
    this.#begun = begun;
  }

  entry(scope: string, now: Entry): void {
    if (now.action === 'skip') return;
    let planned = this.#next(scope);
    while (this.#begun && planned?.action === 'delete' && planned.path !== now.path)
      planned = this.#next(scope);
    if (planned !== undefined && (agree(planned, now) || (this.#begun && isDone(planned, now)))) return;
    const path = planned === undefined || now.path < planned.path ? now.path : planned.path;
    throw moved(scope, path);
  }

  /** Every part has been decided on: nothing of the plan may be left. */
  finish(): void {
    for (const scope of this.#saved.keys()) {
      let left = this.#next(scope);
      while (this.#begun && left?.action === 'delete') left = this.#next(scope);
      if (left !== undefined) throw moved(scope, left.path);
    }
  }

  #next(scope: string): Entry | undefined {
    return this.#saved.get(scope)?.next().value as Entry | undefined;
  }
}

/** Whether the destination holds what a plan wanted there, of a source that did not move. */
function isDone(planned: Entry, now: Entry): boolean {
  return (
    planned.path === now.path && isWrite(planned) && now.action === 'same' && planned.source === now.source
  );
}

function* relevant(list: EntryList): Generator<Entry> {
  for (const entry of list) if (entry.action !== 'skip') yield entry;
}

function agree(planned: Entry, now: Entry): boolean {
  return (
    planned.path === now.path &&
    planned.action === now.action &&
    planned.source === now.source &&
    planned.destination === now.destination
  );
}

function moved(scope: string, path: string): TopologyError {
  return new TopologyError(
    ErrorCode.Guard,
    `a record moved since the plan was made, in ${scope}; nothing was written`,
    { path, hint: 'make the plan again, and look at what is different' },
  );
}

function span({ first, last }: { readonly first: bigint; readonly last: bigint }): {
  first: string;
  last: string;
} {
  return { first: String(first), last: String(last) };
}
