import { readFileSync } from 'node:fs';
import { cutOff, type DialRow, dialRows } from '../copy/preflight/matrix.js';
import { readServers } from '../copy/preflight/read.js';
import type { ServersReading } from '../copy/preflight/reading.js';
import type { Cell } from '../topo/topology.js';
import { type DoctorSide, type DoctorSides, readUnopened } from './doctor-sides.js';
import { Exit } from './exit.js';
import { findingLines } from './finding-text.js';
import { type Flags, shown, usage } from './flags.js';
import { type Io, json, jsonLine, outLines, table } from './io.js';
import { printable } from './lists.js';

/** Dials every server of every cell from this host, which is in `cell`. Usage for a cell that no side has. */
export async function dialFrom(
  cell: string,
  { from, to }: DoctorSides,
  placed: Promise<readonly Cell[]>,
  flags: Flags,
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  const cellsOf = async (side: DoctorSide | undefined) => (await side?.topology?.cells({ signal })) ?? [];
  const [sourceCells, own, given] = await Promise.all([cellsOf(from), cellsOf(to), placed]);
  const added = given.filter(({ name }) => !own.some((each) => each.name === name));
  const destinationCells = [
    ...own.map((each) => given.find(({ name }) => name === each.name) ?? each),
    ...added,
  ];
  const known = [...new Set([...sourceCells, ...destinationCells].map(({ name }) => name))];
  if (known.length > 0 && !known.includes(cell))
    throw usage(
      `--from-here names cell ${shown(cell)}, which neither side has`,
      `there are ${known.join(', ')}`,
    );
  const servers = await Promise.all([serversOf(from, sourceCells), serversOf(to, destinationCells)]);
  const rows = dialRows(cell, servers.flat());
  const found = cutOff(rows).filter(({ id }) => id !== 'cell-not-dialled');
  if (flags['output'] === 'json')
    outLines(
      io,
      rows.map((row) => jsonLine(row)),
    );
  else io.out([rowsText(io, rows), ...findingLines(io, found)].join('\n'));
  return found.some(({ severity }) => severity === 'stop') ? Exit.Store : Exit.Ok;
}

async function serversOf(side: DoctorSide | undefined, cells: readonly Cell[]): Promise<ServersReading[]> {
  if (side === undefined) return [];
  if (side.topology !== undefined) return readServers({ side: side.side, topology: side.topology, cells });
  return (await readUnopened(side)).flatMap(({ servers }) => servers);
}

/** Puts together what `--from-here` wrote in each cell, shows and judges it. Usage for a file that is none. */
export async function readMatrix(files: readonly string[], flags: Flags, io: Io): Promise<number> {
  const rows = files.flatMap(rowsOf);
  const found = cutOff(rows);
  if (flags['output'] === 'json') io.out(json({ command: 'doctor', matrix: rows, findings: found }));
  else io.out([rowsText(io, rows), ...findingLines(io, found)].join('\n'));
  return found.some(({ severity }) => severity === 'stop') ? Exit.Guard : Exit.Ok;
}

function rowsText(io: Io, rows: readonly DialRow[]): string {
  const { green, red } = io.colors;
  return table(
    io,
    ['from cell', 'side', 'stores', 'server', '', 'ms', 'problem'],
    rows.map(({ from, side, scopes, server, up, ms = '', problem = '' }) => [
      ...[printable(from), side, printable(scopes.join(', ')), server],
      ...[up ? green('ok') : red('no'), String(ms), printable(problem)],
    ]),
  );
}

function rowsOf(file: string): DialRow[] {
  let lines: string[];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    throw usage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const rows = lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const row = parsed(line);
    if (isRow(row)) return [row];
    throw usage(
      `line ${index + 1} of ${file} is not what doctor --from-here writes`,
      'write it with --output json',
    );
  });
  if (rows.length === 0)
    throw usage(`${file} says of no server whether it was reached`, 'run doctor --from-here again there');
  return rows;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isRow(row: unknown): row is DialRow {
  if (typeof row !== 'object' || row === null) return false;
  if (!('from' in row && 'side' in row && 'scopes' in row && 'server' in row && 'up' in row)) return false;
  const { from, side, scopes, server, up } = row;
  return (
    typeof from === 'string' &&
    (side === 'source' || side === 'destination') &&
    Array.isArray(scopes) &&
    scopes.every((scope) => typeof scope === 'string') &&
    typeof server === 'string' &&
    typeof up === 'boolean'
  );
}
