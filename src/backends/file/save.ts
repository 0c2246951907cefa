import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { renderJson } from '../../topo/codec-render.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import { classify } from '../../topo/kinds.js';
import { GLOBAL } from '../../topo/topology.js';
import { type Header, headerBody, type Run, recordBody, trailerBody } from './format.js';
import { Lines } from './lines.js';
import type { Contents, Placed } from './tree.js';

/** The lines of a file in its sorted form, many at a time, made as they are asked for; the first one, without its end, apart too. */
export function snapshotLines(
  header: Omit<Header, 'changes'>,
  contents: Contents,
): { readonly firstLine: Buffer; readonly lines: Iterable<Buffer> } {
  const all = contents.all();
  const first = new Lines(1);
  first.add(headerBody({ ...header, changes: runsOf(all) }, TOOL));
  const line = first.take();
  return { firstLine: line.subarray(0, -1), lines: linesOf(line, all) };
}

/** Bytes of lines that are written together. */
const TOGETHER = 1 << 20;

/** Each is written before the next is asked for. */
function* linesOf(first: Buffer, all: readonly Placed[]): Generator<Buffer> {
  yield first;
  const hash = createHash('sha256');
  const lines = new Lines(2 * TOGETHER);
  const taken = () => {
    const bytes = lines.take();
    hash.update(bytes);
    return bytes;
  };
  for (const { scope, path, entry } of all) {
    const { bytes } = entry;
    lines.add(recordBody({ scope, path, bytes }, decoded(scope, path, bytes)));
    if (lines.length >= TOGETHER) yield taken();
  }
  yield taken();
  lines.add(trailerBody({ records: all.length, sha256: hash.digest('hex') }));
  yield lines.take();
}

/** What the versions of records need to outlive a rewrite, kept in the line that differs from file to file anyway. */
function runsOf(all: readonly Placed[]): Run[] {
  const runs: [number, number][] = [];
  for (const { entry } of all) {
    const last = runs.at(-1);
    if (last?.[0] === entry.change) last[1] += 1;
    else runs.push([entry.change, 1]);
  }
  return runs;
}

function decoded(scope: string, path: string, bytes: Uint8Array): { kind: string; json?: string } {
  const { kind, message } = classify(scope === GLOBAL ? 'global' : 'cell', path, false);
  if (message === null) return { kind };
  try {
    return { kind, json: renderJson(message, bytes) };
  } catch (error) {
    if (isTopologyError(error, ErrorCode.Corrupt)) return { kind };
    throw error;
  }
}

/** Name and version of this program. The sources and what they are compiled to lie equally deep. */
const TOOL = `topo2topo ${readVersion(new URL('../../../package.json', import.meta.url))}`;

function readVersion(file: URL): string {
  const description: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof description !== 'object' || description === null || !('version' in description)) return '';
  return String(description.version);
}
