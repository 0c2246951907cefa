import type { Census } from '../census/census.js';
import type { Finding } from '../census/finding.js';
import type { Stores } from '../census/place.js';
import { cellOf, classOf, type Process, storeText, toldBy } from '../census/processes.js';
import type { Severity } from '../census/table.js';
import { formatAddress, type StoreAddress } from '../topo/address.js';
import { Exit } from './exit.js';
import { count, type Io, table } from './io.js';
import { printable } from './lists.js';

/** A census, and what it was taken of. */
export interface Taken {
  readonly topology: StoreAddress;
  readonly stores: Stores;
  readonly census: Census;
}

const VERDICTS = ['expected', 'old', 'other', 'unknown'] as const;

/** A census for people: counts first, then each process, then what was found, the worst first, and the verdict. */
export function censusText(io: Io, { topology, stores, census }: Taken): string {
  const { bold } = io.colors;
  const { processes, findings, records } = census;
  const silent = processes.filter((process) => toldBy(process) === undefined).length;
  const asked = `${processes.length} ${processes.length === 1 ? 'process' : 'processes'} asked`;
  const stored = stores.expected.map(formatAddress).join(' or ');
  return [
    bold(`cluster of ${formatAddress(topology)}`),
    `  ${count(records.tablets.length, 'tablet record')} in ${count(records.cells.length, 'cell')}, ${asked}${silent === 0 ? '' : `, ${silent} silent`}`,
    `  expected store: ${stored === '' ? 'not given' : stored}`,
    ...(processes.length === 0 ? [] : ['', classTable(io, processes), '', processTable(io, processes)]),
    ...(findings.length === 0 ? [] : ['', ...findingLines(io, findings)]),
    '',
    verdict(io, findings),
  ].join('\n');
}

function classTable(io: Io, processes: readonly Process[]): string {
  const keyOf = (process: Process) => [classOf(process), cellOf(process) ?? '?'] as const;
  const keys = new Map(processes.map(keyOf).map((key) => [key.join('\0'), key]));
  const rows = [...keys].map(([joined, key]) => {
    const members = processes.filter((each) => keyOf(each).join('\0') === joined);
    return [...key.map(printable), ...VERDICTS.map((store) => numberOn(members, store))];
  });
  return table(io, ['process', 'cell', ...VERDICTS.map((store) => `${store} store`)], rows);
}

function numberOn(processes: readonly Process[], store: (typeof VERDICTS)[number]): number {
  return processes.filter(({ verdict: { store: used } }) => used === store).length;
}

function processTable(io: Io, processes: readonly Process[]): string {
  const { red, yellow, green } = io.colors;
  const marks = { expected: green, old: red, other: red, unknown: yellow };
  const rows = processes.map((process) => {
    const told = toldBy(process);
    const store = told?.store === undefined ? '' : storeText(told.store);
    const kind = told?.type ?? (process.from === 'record' ? '?' : classOf(process));
    return [
      ...[process.name, kind, process.endpoint, versionOf(process) ?? '?', store].map(printable),
      marks[process.verdict.store](process.verdict.store),
    ];
  });
  return table(io, ['process', 'is', 'address', 'version', 'store', 'verdict'], rows);
}

/** By its page, else by its record: pages tell it from Vitess 19 on, records from 13. */
function versionOf(process: Process): string | undefined {
  return toldBy(process)?.version ?? process.tablet?.version;
}

/** Findings of one kind together: a store that was left by nobody is found as often as there are processes. */
function findingLines(io: Io, findings: readonly Finding[]): string[] {
  const { red, yellow, dim } = io.colors;
  const marks: Readonly<Record<Severity, string>> = {
    stop: red('stop'),
    unknown: yellow('unknown'),
    warn: yellow('warn'),
  };
  const ids = [...new Set(findings.map(({ id }) => id))];
  return ids.flatMap((id) => {
    const own = findings.filter((finding) => finding.id === id);
    const lines = own.map((finding) => `${marks[finding.severity]} ${lineOf(finding)}`);
    return [...lines, ...own.slice(0, 1).flatMap(({ why, todo }) => [dim(`     ${why}`), `     → ${todo}`])];
  });
}

function lineOf({ id, scope, path, process, what }: Finding): string {
  const at = path === undefined ? scope : `${scope ?? ''}:${path}`;
  const place = [process, at].filter((part) => part !== undefined).map(printable);
  return `${[id, ...place].join(' ')}: ${printable(what)}`;
}

function verdict(io: Io, findings: readonly Finding[]): string {
  const { red, green, yellow, bold } = io.colors;
  const number = (severity: Severity) => findings.filter((each) => each.severity === severity).length;
  const [wrong, unknown, warnings] = [number('stop'), number('unknown'), number('warn')];
  const rest = [
    ...(unknown === 0 ? [] : [`${unknown} not known`]),
    ...(warnings === 0 ? [] : [count(warnings, 'warning')]),
  ].map((part) => `, ${part}`);
  if (wrong > 0) return bold(`${red('something is wrong')}: ${count(wrong, 'finding')}${rest.join('')}`);
  if (unknown > 0) return bold(`${yellow('inconclusive')}${rest.join('')}`);
  return bold(`${green('the cluster is as its records say')}${rest.join('')}`);
}

/** 0: as the records say; 1: something is wrong; 3: the store of a cell cannot be read; 5: something is not known. */
export function censusExit({ findings }: Pick<Census, 'findings'>): Exit {
  if (findings.some(({ id }) => id === 'cell-unreachable')) return Exit.Store;
  if (findings.some(({ severity }) => severity === 'stop')) return Exit.Different;
  return findings.some(({ severity }) => severity === 'unknown') ? Exit.Inconclusive : Exit.Ok;
}

/** A census for programs: schema/check-cluster.schema.json. */
export function censusJson({ topology, stores, census }: Taken): object {
  const { processes, findings, records } = census;
  return {
    command: 'check cluster',
    topology: formatAddress(topology),
    expected: stores.expected.map(formatAddress),
    old: stores.old.map(formatAddress),
    healthy: !findings.some(({ severity }) => severity === 'stop'),
    conclusive: !findings.some(({ severity }) => severity === 'unknown'),
    counts: {
      cells: records.cells.length,
      tablets: records.tablets.length,
      processes: processes.length,
      silent: processes.filter((process) => toldBy(process) === undefined).length,
      stores: Object.fromEntries(VERDICTS.map((store) => [store, numberOn(processes, store)])),
    },
    findings,
    processes: processes.map((process) => {
      const { type, state, alias, store } = toldBy(process) ?? {};
      return {
        name: process.name,
        from: process.from,
        class: classOf(process),
        cell: cellOf(process),
        address: process.endpoint,
        answered: toldBy(process) !== undefined,
        version: versionOf(process),
        ...{ alias, type, state },
        store: store === undefined ? undefined : storeText(store),
        verdict: process.verdict.store,
        why: process.verdict.why,
      };
    }),
  };
}
