import type { Found } from '../verify/findings.js';
import type { Difference, VerifyReport } from '../verify/report.js';
import type { Flags } from './flags.js';
import { type Io, jsonLine } from './io.js';
import { byReason, printable } from './lists.js';
import { lostText, notComparedOnce, selectionText } from './verify-text.js';

/** The forms in which verify tells what it found. */
export const FORMS = ['text', 'json', 'jsonl', 'marks', 'html'] as const;

/** A form that tells of records while they are read. */
export interface Stream {
  readonly add: (found: Found) => void;
  /** `document`: what --output json would be. */
  readonly end: (document: object, report: Remarks) => void;
}

/** The stream that --output asks for; undefined: a form that tells all at the end. */
export function streamOf(flags: Flags, io: Io): Stream | undefined {
  const lineOf = { jsonl: lineOfFound, marks: markLine }[String(flags['output'])];
  if (lineOf === undefined) return undefined;
  let some: string[] = [];
  const send = () => {
    if (some.length > 0) io.out(some.join('\n'));
    some = [];
  };
  return {
    add(found) {
      const line = lineOf(found);
      if (line !== undefined) some.push(line);
      if (some.length >= LINES_AT_A_TIME) send();
    },
    end(document, report) {
      if (flags['output'] === 'jsonl') some.push(jsonLine(verdictOf(document)));
      else some.push(...remarkLines(report));
      send();
    },
  };
}

/** A write for each line takes longer than the comparison. */
const LINES_AT_A_TIME = 500;

/** What the marks are not of: comments at the end, that no path begins like. */
function remarkLines(report: Remarks): string[] {
  const lost = report.losses.length === 0 ? [] : [`# ${lostText(report)}`];
  if (report.selection === undefined) return lost;
  return [
    ...lost,
    `# ${selectionText(report.selection)}`,
    ...[...byReason(notComparedOnce(report))].map(
      ([reason, paths]) => `# not compared, ${reason}: ${paths.length}`,
    ),
  ];
}

type Remarks = Pick<VerifyReport, 'selection' | 'notCompared' | 'losses'>;

/** Every record but those that are equal. */
function lineOfFound({ as, found }: Found): string | undefined {
  return as === 'equal' ? undefined : jsonLine({ line: as, ...found });
}

/** The document without what has a line of its own. */
function verdictOf(document: object): object {
  const own = new Set(['differences', 'ignored', 'notes', 'losses', 'notCompared']);
  const rest = Object.entries(document).filter(([name]) => !own.has(name));
  return { line: 'verdict', ...Object.fromEntries(rest) };
}

/** As rclone’s check does: the mark, a space, and where. */
function markLine(found: Found): string | undefined {
  const mark = markOf(found);
  return mark === undefined ? undefined : `${mark} ${printable(`${found.found.scope}:${found.found.path}`)}`;
}

function markOf(found: Found): string | undefined {
  switch (found.as) {
    case 'difference':
      return isUndecided(found.found) ? '!' : { missing: '+', extra: '-', different: '*' }[found.found.type];
    case 'ignored':
      return found.whole ? '=' : undefined;
    case 'not compared':
    case 'loss':
      return undefined;
    default:
      return '=';
  }
}

/** Changing all the time, or not to be decoded. */
function isUndecided({ class: found, rule }: Difference): boolean {
  return found === 'in-flight' || rule?.endsWith('.undecodable') === true;
}
