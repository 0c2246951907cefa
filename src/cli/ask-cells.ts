import { formatAddress, serversOf } from '../topo/address.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { cellAddresses } from './addresses.js';
import { type Flags, text } from './flags.js';
import type { Io } from './io.js';
import type { Pair } from './topologies.js';

/**
 * Asks a person for the address of every cell of the destination that neither the flags nor the destination's CellInfo give. Where nobody
 * can be asked, and where nobody says anything, the pair stays as it is, and the copy names what is missing.
 */
export async function withAskedCells(flags: Flags, io: Io, signal: AbortSignal, pair: Pair): Promise<Pair> {
  const { source, destination, rule } = pair;
  if (io.ask === undefined || flags['output'] === 'json' || rule.root !== undefined) return pair;
  const existing = new Set((await destination.cells({ signal })).map(({ name }) => name));
  const wanted = text(flags, 'cells')?.split(',');
  const answers: string[] = [];
  for (const { name, address } of await source.cells({ signal })) {
    if (rule.given.has(name) || existing.has(name)) continue;
    if (wanted !== undefined && !wanted.includes(name) && !wanted.includes('global')) continue;
    if ((await destination.addressWithoutCellInfo(name)) !== undefined) continue;
    const suggested = `${serversOf(destination.address).servers.join(',')},${sibling(destination.address.root, name)}`;
    io.err(`cell ${name} is at ${formatAddress(address)}; where does it go?`);
    const problem = (answer: string) =>
      problemOf(() => cellAddresses([answer], destination.address, 'to-cell'));
    answers.push(await askedFor(name, suggested, problem, { err: io.err, ask: io.ask }, signal));
  }
  if (answers.length === 0) return pair;
  io.err(`the same without questions: ${answers.map((answer) => `--to-cell ${answer}`).join(' ')}`);
  const given = new Map([...rule.given, ...cellAddresses(answers, destination.address, 'to-cell')]);
  return { ...pair, rule: { ...rule, given } };
}

/** `CELL=SERVER,ROOT`, asked for until it can be one. */
async function askedFor(
  name: string,
  suggested: string,
  problem: (answer: string) => string | undefined,
  io: Pick<Io, 'err'> & { readonly ask: NonNullable<Io['ask']> },
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    const answer = (await io.ask(`SERVER,ROOT of ${name} [${suggested}]: `, signal)).trim();
    const place = `${name}=${answer === '' ? suggested : answer}`;
    const said = problem(place);
    if (said === undefined) return place;
    io.err(said);
  }
}

/** What is wrong with what was given; undefined: nothing. */
function problemOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Usage)) throw error;
    return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
  }
}

/** The root of a cell beside the global one. */
function sibling(root: string, cell: string): string {
  return root.replace(/[^/]*$/, cell);
}
