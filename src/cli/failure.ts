import { isTopologyError, type TopologyError } from '../topo/errors.js';
import { count, type Io, json } from './io.js';

/** A copy that failed after it began to write: why, and how far it got. */
export class StoppedCopy extends Error {
  /** Records that the destination is known to have taken, of all that were to be written. */
  readonly written: number;
  readonly toWrite: number;

  constructor(cause: unknown, written: number, toWrite: number) {
    super('the copy stopped', { cause });
    this.written = written;
    this.toWrite = toWrite;
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
  const lines = [`${red('error')} ${oneLine(cause)} [${isTopologyError(cause) ? cause.code : INTERNAL}]`];
  const hint = isTopologyError(cause) ? cause.hint : INTERNAL_HINT;
  if (hint !== undefined) lines.push(`  ${dim('→')} ${hint}`);
  if (error instanceof StoppedCopy) {
    const { written, toWrite } = error;
    lines.push(
      written === toWrite
        ? `the copy itself is done: ${count(written, 'record')} written`
        : `stopped: ${written} of ${count(toWrite, 'record')} were written; run the copy again to go on`,
    );
  }
  if ((io.env['TOPO2TOPO_DEBUG'] ?? '') !== '' && cause instanceof Error) lines.push(dim(cause.stack ?? ''));
  return lines.join('\n');
}

/** An error as a program reads it. */
export function errorJson(error: unknown): string {
  const cause = causeOf(error);
  const reached = error instanceof StoppedCopy ? { written: error.written, toWrite: error.toWrite } : {};
  return json({ error: isTopologyError(cause) ? plain(cause) : internal(cause), ...reached });
}

const INTERNAL = 'Internal';
const INTERNAL_HINT = 'a fault of this program; TOPO2TOPO_DEBUG=1 shows where';

function internal(cause: unknown) {
  return { code: INTERNAL, message: oneLine(cause), hint: INTERNAL_HINT, retryable: false };
}

function plain({ code, message, path, store, hint, retryable }: TopologyError) {
  return { code, message, path, store, hint, retryable };
}

function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*\n\s*/g, ' ');
}
