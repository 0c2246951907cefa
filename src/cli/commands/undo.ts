import { property } from '../../graph/shards.js';
import { type PastChange, planUndo } from '../../topo/changes.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { classify, type Kind } from '../../topo/kinds.js';
import { GLOBAL } from '../../topo/topology.js';
import { accessOf, carryOut, DELETE_FLAGS } from '../changes.js';
import type { Command } from '../command.js';
import { readFlagFile } from '../files.js';
import { ADDRESS_WORD, needed, PLACE_FLAGS, withPlace } from '../place.js';

export const undoCommand: Command = {
  command: 'undo [address] [file]',
  describe: 'put back what a command changed; deletes only with --yes',
  words: [ADDRESS_WORD, { name: 'file', describe: 'what that command printed with --output json' }],
  flags: [...PLACE_FLAGS, ...DELETE_FLAGS],
  examples: [['$0 undo zk2://zk1:2181/vitess/global removed.json', 'as it was, byte for byte']],
  run: (flags, io, signal) =>
    withPlace(
      flags,
      io,
      signal,
      { names: ['file'], access: accessOf(flags, false) },
      async ({ topology, words }) => {
        const past = readPast(needed(words, 'file'));
        const changes = await planUndo(topology, past, { signal });
        return carryOut(flags, io, signal, { command: 'undo', topology, changes });
      },
    ),
};

/** What no command changes record by record. */
const NEVER: ReadonlySet<Kind> = new Set<Kind>(['Lock', 'Election', 'Ephemeral', 'Control']);

/** Usage for a file that is not what a command printed. */
function readPast(file: string): PastChange[] {
  const parsed = parse(readFlagFile(file).toString('utf8'));
  const changes = property(parsed, 'changes');
  if (!Array.isArray(changes)) throw notOurs(file);
  return changes.map((change: unknown) => {
    const [scope, path] = [property(change, 'scope'), property(change, 'path')];
    if (typeof scope !== 'string' || typeof path !== 'string') throw notOurs(file);
    const { kind } = classify(scope === GLOBAL ? 'global' : 'cell', path, false);
    if (NEVER.has(kind)) throw notOurs(file);
    return { scope, path, before: bytes(change, 'before', file), after: bytes(change, 'after', file) };
  });
}

function bytes(change: unknown, name: string, file: string): Uint8Array | undefined {
  const value = property(change, name);
  if (value === undefined || value === null) return undefined;
  const decoded = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
  if (decoded === undefined || decoded.toString('base64') !== value) throw notOurs(file);
  return decoded;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notOurs(file: string): TopologyError {
  return new TopologyError(ErrorCode.Usage, `the file ${file} is not what a command printed`, {
    hint: 'save what the command printed for putting it back, and nothing else',
  });
}
