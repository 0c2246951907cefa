import type { Argv } from 'yargs';
import { decode } from '../../topo/codec.js';
import type { StoredRecord } from '../../topo/connection.js';
import { classify } from '../../topo/kinds.js';
import { GLOBAL } from '../../topo/topology.js';
import { Exit } from '../exit.js';
import { type Flags, usage } from '../flags.js';
import { type Io, json, size } from '../io.js';
import { lookAt, lookFlags, storeOf } from '../looking.js';
import { switches } from '../switches.js';

export const catCommand = {
  command: 'cat [address] [path]',
  describe: 'show a record, decoded',
  builder: (yargs: Argv) => switches(lookFlags(yargs), 'raw'),
  async run(flags: Flags, io: Io, signal: AbortSignal) {
    if (flags['raw'] === true && flags['output'] === 'json')
      throw usage('--raw and --output json exclude one another');
    return lookAt(flags, io, signal, async ({ topology, scope = GLOBAL, path }) => {
      const store = await storeOf(topology, scope, signal);
      const value = await store.get(path, { signal });
      if (flags['raw'] === true) {
        io.outBytes(value.bytes);
        return Exit.Ok;
      }
      const shown = decodedRecord(scope, { path, ...value });
      const { version, ephemeral } = value;
      if (flags['output'] === 'json')
        io.out(json({ scope, path, version: version.token, ephemeral, ...shown }));
      else io.out(recordText(io, shown));
      return Exit.Ok;
    });
  },
};

interface ShownRecord {
  readonly kind: string;
  readonly size: number;
  readonly json?: unknown;
  readonly unknownFields?: unknown;
  readonly text?: string;
  readonly base64?: string;
  readonly problem?: string;
}

function decodedRecord(scope: string, record: StoredRecord): ShownRecord {
  const row = classify(scope === GLOBAL ? 'global' : 'cell', record.path, record.ephemeral);
  const base = { kind: row.kind, size: record.bytes.byteLength };
  if (row.message === null) return { ...base, ...rawForm(record.bytes) };
  try {
    const decoded = decode(row.message, record.bytes);
    return decoded.unknown.length === 0
      ? { ...base, json: decoded.json }
      : { ...base, json: decoded.json, unknownFields: decoded.unknown };
  } catch (error) {
    return {
      ...base,
      ...rawForm(record.bytes),
      problem: error instanceof Error ? error.message : String(error),
    };
  }
}

function rawForm(bytes: Uint8Array): { text: string } | { base64: string } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}

function recordText(io: Io, shown: ShownRecord): string {
  const lines = [];
  if (shown.problem !== undefined) lines.push(io.colors.yellow(`does not decode: ${shown.problem}`));
  if (shown.json !== undefined) lines.push(json(shown.json));
  else lines.push(shown.text ?? `${shown.base64} (base64, ${size(shown.size)})`);
  if (shown.unknownFields !== undefined)
    lines.push(io.colors.yellow(`unknown fields, kept as they are: ${json(shown.unknownFields)}`));
  return lines.join('\n');
}
