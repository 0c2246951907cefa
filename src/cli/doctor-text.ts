import type { Diagnosis } from '../copy/preflight/diagnosis.js';
import type { Examined } from '../copy/preflight/examine.js';
import type { ServersReading, SideReading } from '../copy/preflight/reading.js';
import type { Severity } from '../copy/preflight/table.js';
import { formatAddress } from '../topo/address.js';
import type { DoctorSides } from './doctor-sides.js';
import { Exit } from './exit.js';
import { findingLines } from './finding-text.js';
import { count, type Io, size } from './io.js';
import { printable } from './lists.js';

/** What was found, for people: each side in some lines, findings with the worst first, the verdict last. */
export function doctorText(io: Io, { sides, found }: Examined): string {
  return [
    ...sides.flatMap((side) => sideLines(io, side)),
    ...findingLines(io, found),
    verdict(io, found),
  ].join('\n');
}

function sideLines(io: Io, { side, address, scopes, servers }: SideReading): string[] {
  const { bold, dim } = io.colors;
  const lines = scopes.map(({ scope, address: at, survey, limits }) => {
    const held =
      survey === undefined ? 'not read' : `${count(survey.records, 'record')}, ${size(survey.bytes)}`;
    const largest = survey === undefined ? '' : `, the largest ${size(survey.largestBytes)}`;
    const taken = limits === undefined ? '' : ` of at most ${size(limits.maxValueBytes)}`;
    return `  ${printable(scope)} ${dim(formatAddress(at))} ${held}${largest}${taken}`;
  });
  return [bold(`${side} ${formatAddress(address)}`), ...servers.map(serversLine), ...lines];
}

function serversLine({ health }: ServersReading): string {
  const { servers, voters, hasLeader, readThrough } = health;
  const versions = [...new Set(servers.flatMap(({ version }) => (version === undefined ? [] : [version])))];
  const parts = [
    `${servers.filter(({ up }) => up).length} of ${count(servers.length, 'server')} up`,
    ...(versions.length === 0 ? [] : [`version ${versions.join(', ')}`]),
    ...(voters === undefined ? [] : [`${voters.up ?? '?'} of ${voters.total} voting members up`]),
    ...(hasLeader === undefined ? [] : [hasLeader ? 'with a leader' : 'without a leader']),
    ...(readThrough === undefined ? [] : [`read through ${readThrough}`]),
  ];
  return `  ${parts.join(', ')}`;
}

function verdict(io: Io, found: readonly Diagnosis[]): string {
  const { red, green, bold } = io.colors;
  const number = (severity: Severity) => found.filter((each) => each.severity === severity).length;
  const warnings = number('warn') === 0 ? '' : `, ${count(number('warn'), 'warning')}`;
  return number('stop') === 0
    ? bold(`${green('the migration may start')}${warnings}`)
    : bold(
        `${red('the migration must not start')}: ${count(number('stop'), 'finding')} against it${warnings}`,
      );
}

/** 0: may start; 3: a store cannot be reached; 4: must not start. */
export function doctorExit(found: readonly Diagnosis[]): Exit {
  if (found.some(({ id }) => id === 'unreachable' || id === 'refused')) return Exit.Store;
  return found.some(({ severity }) => severity === 'stop') ? Exit.Guard : Exit.Ok;
}

/** What was found, for programs. docs/doctor.md says what each field is. */
export function doctorJson({ from, to }: DoctorSides, { sides, found, estimate }: Examined): object {
  const address = (side: typeof from) => (side === undefined ? undefined : formatAddress(side.flags.address));
  return {
    command: 'doctor',
    from: address(from),
    to: address(to),
    mayStart: !found.some(({ severity }) => severity === 'stop'),
    findings: found,
    sides: sides.map(({ side, scopes, servers }) => ({
      side,
      servers: servers.map(({ scopes: parts, health }) => ({ scopes: parts, ...health })),
      stores: scopes.map(({ scope, address: at, survey, probed, limits, failure }) => ({
        scope,
        address: formatAddress(at),
        reached: failure === undefined,
        records: survey?.records,
        bytes: survey?.bytes,
        largestBytes: survey?.largestBytes,
        limits,
        readMs: survey?.ms,
        kinds: survey?.kinds,
        writable: probed === undefined ? undefined : probed.write === undefined,
        lockable: probed === undefined || probed.write !== undefined ? undefined : probed.lock === undefined,
      })),
    })),
    estimate,
  };
}
