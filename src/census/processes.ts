import { withoutSecrets } from '../topo/address.js';
import { listed } from '../topo/finding.js';
import type { Answer } from './ask.js';
import type { StoreFlags } from './command-line.js';
import { type Finding, found } from './finding.js';
import type { Told } from './page.js';
import type { Verdict } from './place.js';
import type { TabletState } from './records.js';

/** A process of the cluster, and what came of asking it. */
export interface Process {
  /** `listed`: a gate, or another process that no record names. */
  readonly from: 'record' | 'listed';
  /** An alias, or `host:port`. */
  readonly name: string;
  /** As its record has it; undefined for one that was listed. */
  readonly tablet: TabletState | undefined;
  /** `host:port`. */
  readonly endpoint: string;
  readonly answer: Answer;
  readonly verdict: Verdict;
}

/** What a process told; undefined: nothing. */
export function toldBy({ answer }: Process): Told | undefined {
  return typeof answer === 'string' ? undefined : answer;
}

/** What it is: the program by its own command line, else what the record makes of it. */
export function classOf(process: Process): string {
  return toldBy(process)?.program ?? (process.from === 'record' ? 'vttablet' : 'unknown');
}

/** The cell that it is in; undefined: not known. */
export function cellOf(process: Process): string | undefined {
  return process.tablet?.cell ?? toldBy(process)?.cell;
}

/** A store as a command line has it. */
export function storeText({ implementation, server, root }: StoreFlags): string {
  return withoutSecrets(`${implementation} ${server} ${root}`);
}

/** Whether the process that answered is the tablet that was to be asked. */
export function isItself({ tablet, answer }: Process): boolean {
  return typeof answer !== 'string' && tablet !== undefined && answer.alias === tablet.alias;
}

/** What is to be said of one process alone: who answers, what it is, which store it uses. */
export function judgeProcess(process: Process): Finding[] {
  const { answer, tablet, name, endpoint } = process;
  const where = { process: name, ...(tablet === undefined ? {} : { scope: tablet.cell, path: tablet.path }) };
  if (typeof answer === 'string')
    return [found('process-silent', where, `${endpoint} does not tell: ${answer}`)];
  if (tablet === undefined) return storeFindings(process, answer);
  const { alias, program } = answer;
  if (alias !== undefined && alias !== tablet.alias)
    return [found('wrong-process', where, `on ${endpoint} answers ${alias}`)];
  if (alias === undefined && /^(vtgate|vtctld|vtorc|vtadmin|mysqlctld)/.test(program ?? ''))
    return [found('wrong-process', where, `on ${endpoint} answers a ${program}`)];
  const missing = (['alias', 'type'] as const).filter((part) => answer[part] === undefined);
  // Where one of the two is PRIMARY, that is told of the shard.
  const types = [tablet.type, answer.type];
  const differs =
    alias !== undefined && !types.includes(undefined) && !types.includes('PRIMARY') && types[0] !== types[1];
  const ofShard = [
    ['keyspace', tablet.keyspace, answer.keyspace],
    ['shard', tablet.shard, answer.shard],
  ] as const;
  const others = ofShard.filter(([, record, page]) => page !== undefined && page !== record);
  return [
    ...(missing.length === 0
      ? []
      : [found('not-told', where, `its page does not say its ${listed(missing)}`)]),
    ...(differs
      ? [found('type-differs', where, `it says that it is ${answer.type}, its record ${tablet.type}`)]
      : []),
    ...others.map(([part, record, page]) =>
      found('shard-differs', where, `it says that its ${part} is ${page}, its record ${record}`),
    ),
    ...storeFindings(process, answer),
  ];
}

function storeFindings({ name, tablet, verdict }: Process, { store }: Told): Finding[] {
  const where = { process: name, scope: tablet?.cell };
  const used = store === undefined ? 'no store' : storeText(store);
  switch (verdict.store) {
    case 'expected':
      return [];
    case 'old':
      return [found('store-old', where, `it uses the old store, ${used}`)];
    case 'other':
      return [found('store-other', where, `it uses ${used}`)];
    case 'unknown':
      return [found('store-unknown', where, verdict.why ?? 'which store it uses is not known')];
  }
}
