import { type CommandLine, readCommandLine } from './command-line.js';

/** What a process tells of itself on its `/debug/vars`. What the page does not say is undefined. */
export interface Told extends CommandLine {
  /** `BuildVersion`, from Vitess 19 on. */
  readonly version: string | undefined;
  /** Alias of a tablet, as its directory is named: `zone1-0000000100`. */
  readonly alias: string | undefined;
  /** `PRIMARY`, `REPLICA`, … */
  readonly type: string | undefined;
  readonly keyspace: string | undefined;
  readonly shard: string | undefined;
  /** `SERVING`, `NOT_SERVING`, … */
  readonly state: string | undefined;
  /** `HealthcheckConnections`: healthy, serving tablets that a gate sees, by `keyspace.shard.type` with the type in lower case. */
  readonly connections: ReadonlyMap<string, number> | undefined;
  /** `TopologyWatcherErrors`: failed readings of tablets since the gate started, by what was read. */
  readonly watcherErrors: ReadonlyMap<string, number> | undefined;
}

/**
 * Reads a `/debug/vars`: what Go's `expvar` prints, which has `cmdline` in every program, and beside it what Vitess's `stats` package
 * publishes. A text when it is no such page: why not.
 */
export function readVars(body: string): Told | string {
  let page: unknown;
  try {
    page = JSON.parse(body);
  } catch {
    return 'its /debug/vars is not JSON';
  }
  if (!isObject(page)) return 'its /debug/vars is no object';
  const { cmdline } = page;
  if (!Array.isArray(cmdline) || !cmdline.every((word) => typeof word === 'string'))
    return 'its /debug/vars has no command line: it is no process of Vitess';
  const line = readCommandLine(cmdline);
  // One vtcombo is many tablets: its variables are those of any of them.
  const own = line.program === 'vtcombo' ? {} : page;
  return {
    ...line,
    version: text(page, 'BuildVersion'),
    alias: aliasName(text(own, 'TabletAlias')) ?? aliasName(line.tabletPath),
    type: typeName(text(own, 'TabletType')),
    keyspace: text(own, 'TabletKeyspace'),
    shard: text(own, 'TabletShard'),
    state: text(own, 'TabletStateName'),
    connections: counts(page['HealthcheckConnections']),
    watcherErrors: counts(page['TopologyWatcherErrors']),
  };
}

/** A type of tablets by its name in records of today. */
export function typeName(told: string | undefined): string | undefined {
  const name = told?.toUpperCase();
  return name === 'MASTER' ? 'PRIMARY' : name;
}

/** An alias as directories of tablets are named; undefined for what is none, as the paths that Vitess's first versions took. */
export function aliasName(told: string | undefined): string | undefined {
  const [, cell, digits] = /^([^/\s]+)-(\d{1,10})$/.exec(told ?? '') ?? [];
  return cell === undefined ? undefined : `${cell}-${String(Number(digits)).padStart(10, '0')}`;
}

function text(page: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = page[name];
  return typeof value === 'string' && value !== '' && value.length <= LONGEST ? value : undefined;
}

/** What is longer was not written by Vitess, and would fill a screen. */
const LONGEST = 256;

function counts(value: unknown): Map<string, number> | undefined {
  if (!isObject(value)) return undefined;
  return new Map(Object.entries(value).flatMap(([name, n]) => (typeof n === 'number' ? [[name, n]] : [])));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
