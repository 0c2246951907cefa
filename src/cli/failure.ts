import { GUARD_FLAGS, type Objection } from '../copy/objection.js';
import { objectionText, Refused } from '../copy/stop.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { count, type Io, jsonLine } from './io.js';
import { printable } from './lists.js';

/** A copy that failed after it began to write: why, and how far it got. */
export class StoppedCopy extends Error {
  /** Records that the destination is known to have taken, of all that were to be written. */
  readonly written: number;
  readonly toWrite: number;
  /** How to go on. */
  readonly goOn: string;

  constructor(cause: unknown, written: number, toWrite: number, goOn = 'run the copy again to go on') {
    super('the copy stopped', { cause });
    this.written = written;
    this.toWrite = toWrite;
    this.goOn = goOn;
  }
}

/** A plan that nobody said yes to (Guard), and what it would do, as a document for programs. */
export class Unconfirmed extends TopologyError {
  readonly document: object;
  readonly #what: string;

  constructor(what: string, store: string, hint: string, document: object) {
    super(ErrorCode.Guard, what, { store, hint });
    this.#what = what;
    this.document = document;
  }

  override withHint(hint: string): Unconfirmed {
    return new Unconfirmed(this.#what, this.store ?? '', hint, this.document);
  }
}

/** What failed, without how far it got. */
export function causeOf(error: unknown): unknown {
  return error instanceof StoppedCopy ? error.cause : error;
}

/** An error as a person reads it: what, code, what to do next. With TOPO2TOPO_DEBUG set, where in the program, too. */
export function errorText(io: Io, error: unknown): string {
  const { red, dim } = io.errColors;
  const cause = causeOf(error);
  const lines = [`${red('error')} ${printable(errorSentence(error))} [${errorCode(error)}]`];
  const hint = isTopologyError(cause) ? hintOf(cause) : INTERNAL_HINT;
  if (hint !== undefined) lines.push(`  ${dim('→')} ${printable(hint)}`);
  for (const also of cause instanceof Refused ? cause.objections.slice(1) : []) {
    lines.push(`${red('error')} ${printable(objectionText(also))} [${errorCode(error)}]`);
    lines.push(`  ${dim('→')} ${printable(also.hint)}`);
  }
  if (error instanceof StoppedCopy) {
    const { written, toWrite, goOn } = error;
    lines.push(
      written === toWrite
        ? `the copy itself is done: ${count(written, 'record')} written`
        : `stopped: ${written} of ${count(toWrite, 'record')} were written; ${goOn}`,
    );
  }
  if ((io.env['TOPO2TOPO_DEBUG'] ?? '') !== '' && cause instanceof Error) lines.push(dim(cause.stack ?? ''));
  return lines.join('\n');
}

/** An error as a program reads it: one line, so that it can also end a stream of events. */
export function errorJson(error: unknown): string {
  const cause = causeOf(error);
  const reached =
    error instanceof StoppedCopy
      ? { written: error.written, toWrite: error.toWrite, next: [error.goOn] }
      : {};
  const planned = cause instanceof Unconfirmed ? cause.document : {};
  return jsonLine({ ...planned, error: isTopologyError(cause) ? plain(cause) : internal(cause), ...reached });
}

/** The code of what failed; `Internal` for a fault of this program. */
export function errorCode(error: unknown): string {
  const cause = causeOf(error);
  return isTopologyError(cause) ? cause.code : INTERNAL;
}

/** What failed, in one line: what, path and store, never a value. */
export function errorSentence(error: unknown): string {
  return oneLine(causeOf(error));
}

/** {@link errorSentence}, of guards what each of them says. */
export function allSentences(error: unknown): string {
  const cause = causeOf(error);
  const also = cause instanceof Refused ? cause.objections.slice(1).map(objectionText) : [];
  return [errorSentence(error), ...also].join('; ');
}

const INTERNAL = 'Internal';
const INTERNAL_HINT = 'a fault of this program; TOPO2TOPO_DEBUG=1 shows where';

function internal(cause: unknown) {
  return { code: INTERNAL, message: oneLine(cause), hint: INTERNAL_HINT, retryable: false };
}

/** A failure among other things that are told to programs. */
export interface FailureJson {
  readonly code: string;
  readonly message: string;
  /** Where guards refused something: what each of them says. */
  readonly guards?: readonly GuardJson[];
}

/** What one guard refused. */
interface GuardJson {
  readonly guard: string;
  readonly message: string;
  readonly hint: string;
  /** What lets it pass; absent: nothing does. */
  readonly flag: string | undefined;
}

/** What failed, in a part of a document. */
export function failureJson(error: unknown): FailureJson {
  return { code: errorCode(error), message: errorSentence(error), ...guardsOf(causeOf(error)) };
}

function plain(error: TopologyError) {
  const { code, message, path, store, retryable } = error;
  return { code, message, path, store, hint: hintOf(error), retryable, ...guardsOf(error) };
}

function guardsOf(error: unknown): Pick<FailureJson, 'guards'> {
  return error instanceof Refused ? { guards: error.objections.map(guardJson) } : {};
}

function guardJson(objection: Objection): GuardJson {
  const { guard, hint } = objection;
  return { guard, message: objectionText(objection), hint, flag: GUARD_FLAGS[guard] };
}

/** What to do next, where whoever failed had nothing better to say. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  Unavailable: 'check the addresses and ports, and that the servers run and have a leader',
  Timeout: 'the servers may be overloaded: try again, with a longer --timeout',
  Unauthorized: 'give the login by flags, environment or migration file: docs/addresses.md lists them',
  NoNode: 'topo2topo ls shows what is there',
  BadVersion: 'somebody else wrote meanwhile: run the command again',
  NodeExists: 'somebody else wrote meanwhile: run the command again',
  OutcomeUnknown: 'read the record, then run the command again: what is done is not done twice',
};

function hintOf({ code, hint }: TopologyError): string | undefined {
  return hint ?? HINTS[code];
}

function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*\n\s*/g, ' ');
}
