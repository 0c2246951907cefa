import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Entry, WriteEntry } from './entries.js';
import type { Identities } from './identities.js';
import { type JournalLock, UNLOCKED } from './journal-lock.js';
import { digestOf, Ledger } from './ledger.js';
import { behindLinks, fileSystem, linesOf, writeText } from './lines.js';
import type { Plan } from './plan.js';
import { Tally } from './tally.js';

/** Which migration a journal belongs to. */
export interface Migration {
  /** Addresses of both global stores, without credentials. */
  readonly from: string;
  readonly to: string;
}

/** What a run may need to know of what it begins with. */
export interface Begun {
  readonly plan: {
    readonly scopes: readonly {
      readonly scope: string;
      readonly entries: Iterable<Pick<Entry, 'path' | 'destination'>>;
    }[];
  };
  readonly parts: readonly { readonly scope: string; readonly ledger: Ledger }[];
}

type Line =
  | ({ readonly type: 'journal'; readonly version: 1; readonly identities?: Identities } & Migration)
  | {
      readonly type: 'writing';
      readonly scope: string;
      readonly records: readonly (readonly [string, string])[];
    }
  | {
      readonly type: 'found';
      readonly scope: string;
      /** Whether these are states of the run's own: equal to the source, or written. Absent: no. */
      readonly own?: true;
      readonly records: readonly (readonly [string, string])[];
    }
  | { readonly type: 'witness'; readonly scope: string; readonly identity: string }
  | { readonly type: 'done'; readonly held: Readonly<Record<string, Readonly<Record<string, number>>>> };

/**
 * What a copy is about to write, in a file, so that a later run knows what is its own: one line before each transaction, with paths
 * and digests, never contents; and at the end of a run what the source held. JSON Lines. A cut last line is none.
 */
export class Journal {
  /** What an interrupted run may have written, by scope. Empty after a run that was finished. */
  readonly ledgers: ReadonlyMap<string, Ledger>;
  /** What the source held at the end of the last finished run; undefined: there was none. */
  readonly lastRun: ReadonlyMap<string, Tally> | undefined;
  /** Whether the last run did not come to its end. */
  readonly interrupted: boolean;
  /** Which stores the last run was about; undefined: there was none, or it did not say. */
  readonly identities: Identities | undefined;
  /** Identities of the destination's stores by records that an interrupted run wrote itself, by scope. */
  readonly witnesses: ReadonlyMap<string, readonly string[]>;
  /** The same of this run. */
  readonly #witnesses = new Map<string, string>();
  readonly #path: string;
  readonly #migration: Migration;
  readonly #lock: JournalLock;
  #file: number | undefined;
  #noted = 0;

  private constructor(path: string, migration: Migration, lock: JournalLock, read: ReadJournal) {
    this.#path = path;
    this.#migration = migration;
    this.#lock = lock;
    this.ledgers = read.ledgers;
    this.lastRun = read.lastRun;
    this.interrupted = read.ledgers.size > 0;
    this.identities = read.identities;
    this.witnesses = read.witnesses;
  }

  /**
   * Opens a journal, or begins one. Usage when the file is none, or belongs to another migration. `lock`: asked before whatever
   * is written. Default: it is only read.
   */
  static open(name: string, migration: Migration, lock: JournalLock = UNLOCKED): Journal {
    const path = behindLinks(name);
    const found = fileSystem(path, 'read', () => statSync(path, { throwIfNoEntry: false }));
    if (found === undefined) return new Journal(path, migration, lock, NOTHING);
    // A device may have no end, and a run puts a new file in the place of the old one.
    if (!found.isFile()) throw notOurs(path, 'is no regular file');
    return new Journal(path, migration, lock, readJournal(path, migration));
  }

  /** Records that were noted since the journal was begun, or opened to go on. */
  get noted(): number {
    return this.#noted;
  }

  /**
   * Begins a run. Of an interrupted one only `resume` keeps what it may have written; what is known of the last finished one
   * stays. `identities`: which stores it is about. `begun`: what the destination holds, so that a resumed run knows what somebody
   * else wrote there meanwhile.
   */
  begin(resume: boolean, identities: Identities, begun?: Begun): void {
    this.#lock.check();
    if (resume && this.interrupted) {
      this.#file = fileSystem(this.#path, 'written', () => openSync(this.#path, 'a', 0o600));
      // A line that was cut must not grow together with the next one.
      writeText(this.#path, this.#file, '\n');
      this.found(begun);
      return;
    }
    const fresh = `${this.#path}.new`;
    const file = fileSystem(fresh, 'written', () => openSync(fresh, 'w', 0o600));
    this.#file = file;
    this.#noted = 0;
    this.#line({ type: 'journal', version: 1, ...this.#migration, identities });
    if (this.lastRun !== undefined) this.#line({ type: 'done', held: heldOf(this.lastRun) });
    for (const [scope, identity] of this.#witnesses) this.#line({ type: 'witness', scope, identity });
    this.found(begun);
    this.#lock.check();
    fileSystem(this.#path, 'written', () => renameSync(fresh, this.#path));
  }

  /** What the destination holds that is the run's own, or was there when it began. */
  found(begun: Begun | undefined): void {
    for (const { scope, entries } of begun?.plan.scopes ?? []) {
      const ledger = begun?.parts.find((part) => part.scope === scope)?.ledger;
      // An empty line, too, says that it began.
      this.#found(scope, false, foundIn(entries));
      this.#found(scope, true, ledger?.owned() ?? []);
    }
  }

  #found(scope: string, own: boolean, all: Iterable<readonly [string, string]>): void {
    let records: (readonly [string, string])[] = [];
    const flush = () => {
      this.#line({ type: 'found', scope, ...(own ? { own } : {}), records });
      records = [];
    };
    for (const record of all) {
      records.push(record);
      if (records.length === RECORDS_PER_LINE) flush();
    }
    flush();
  }

  /** Before a transaction is sent. */
  writing(scope: string, entries: readonly WriteEntry[]): void {
    const records = entries.map(
      ({ path, action, bytes }) => [path, action === 'delete' ? '' : digestOf(bytes)] as const,
    );
    this.#noted += records.length;
    this.#line({ type: 'writing', scope, records });
  }

  /** The identity of a destination's store by a record of the run's own: any other may be made anew by whoever it belongs to. */
  witness(scope: string, identity: string): void {
    this.#witnesses.set(scope, identity);
    this.#line({ type: 'witness', scope, identity });
  }

  /** Ends a run that came to its end. */
  done(plan: Plan): void {
    const held = new Map(this.lastRun ?? []);
    for (const { scope, tally } of plan.scopes) held.set(scope, tally);
    this.#line({ type: 'done', held: heldOf(held) });
    this.close();
  }

  /** Lets go of the file. Idempotent. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #line(line: Line): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#lock.check();
    writeText(this.#path, file, `${JSON.stringify(line)}\n`);
  }
}

/** Paths that the destination holds, with their versions. */
function* foundIn(
  entries: Iterable<Pick<Entry, 'path' | 'destination'>>,
): Generator<readonly [path: string, version: string]> {
  for (const { path, destination } of entries) if (destination !== undefined) yield [path, destination];
}

const RECORDS_PER_LINE = 1_000;
const NO_JOURNAL = 'is no journal of a copy';

interface ReadJournal {
  readonly ledgers: ReadonlyMap<string, Ledger>;
  readonly lastRun: ReadonlyMap<string, Tally> | undefined;
  readonly identities: Identities | undefined;
  readonly witnesses: ReadonlyMap<string, readonly string[]>;
}

const NOTHING: ReadJournal = {
  ledgers: new Map(),
  lastRun: undefined,
  identities: undefined,
  witnesses: new Map(),
};

function readJournal(path: string, { from, to }: Migration): ReadJournal {
  const ledgers = new Map<string, Ledger>();
  let lastRun: ReadonlyMap<string, Tally> | undefined;
  let identities: Identities | undefined;
  const witnesses = new Map<string, string[]>();
  const ledgerOf = (scope: string): Ledger => {
    const ledger = ledgers.get(scope) ?? new Ledger();
    ledgers.set(scope, ledger);
    return ledger;
  };
  let known = false;
  for (const [number, text] of linesOf(path)) {
    const line = parse(text);
    if (line !== undefined && !isLine(line)) throw notOurs(path, `${NO_JOURNAL}, from line ${number} on`);
    if (!known) {
      if (line?.type !== 'journal') throw notOurs(path, NO_JOURNAL);
      if (line.from !== from || line.to !== to)
        throw notOurs(path, `belongs to another migration, from ${line.from} to ${line.to}`);
      known = true;
      identities = line.identities;
    } else if (line?.type === 'found') {
      const ledger = ledgerOf(line.scope);
      ledger.resumed();
      for (const [record, version] of line.records)
        if (line.own === true) ledger.foundOwn(record, version);
        else ledger.found(record, version);
    } else if (line?.type === 'writing') {
      const ledger = ledgerOf(line.scope);
      for (const [record, digest] of line.records) ledger.meantDigest(record, digest);
    } else if (line?.type === 'witness') {
      witnesses.set(line.scope, [...(witnesses.get(line.scope) ?? []), line.identity]);
    } else if (line?.type === 'done') {
      ledgers.clear();
      witnesses.clear();
      lastRun = new Map(Object.entries(line.held).map(([scope, counts]) => [scope, Tally.from(counts)]));
    }
  }
  if (!known) throw notOurs(path, NO_JOURNAL);
  return { ledgers, lastRun, identities, witnesses };
}

/** Undefined for a line that was cut. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a line has what is read of it. One that does not was altered, by hand or by a failing disk: what it said is not known. */
function isLine(value: unknown): value is Line {
  if (!isObject(value)) return false;
  switch (value['type']) {
    case 'journal':
      return value['identities'] === undefined || isObject(value['identities']);
    case 'found':
    case 'writing':
      return (
        typeof value['scope'] === 'string' &&
        Array.isArray(value['records']) &&
        value['records'].every(isNoted) &&
        (value['own'] === undefined || value['own'] === true)
      );
    case 'witness':
      return typeof value['scope'] === 'string' && typeof value['identity'] === 'string';
    case 'done':
      return isObject(value['held']) && Object.values(value['held']).every(isObject);
    default:
      return false;
  }
}

function isNoted(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === 'string');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function heldOf(tallies: ReadonlyMap<string, Tally>): Record<string, Record<string, number>> {
  return Object.fromEntries([...tallies].map(([scope, tally]) => [scope, tally.toJSON()]));
}

function notOurs(path: string, why: string): TopologyError {
  return new TopologyError(ErrorCode.Usage, `the file ${path} ${why}`, {
    hint: 'give another file to --journal; one that does not exist is made',
  });
}
