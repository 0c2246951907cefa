import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { decodeText, fitting } from '../editing/draft.js';
import { readJsonObject } from '../editing/json-text.js';
import { pathProblems, recordProblems } from '../editing/legal.js';
import { kindOf } from '../editing/target.js';
import { decode, encode, reencode } from '../topo/codec.js';
import type { JsonObject } from '../topo/codec-json.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { checkPath } from '../topo/paths.js';
import { GLOBAL } from '../topo/topology.js';
import { digestOf, MANIFEST, type ManifestHead, type ManifestRecord, parseManifest } from './manifest.js';
import { foldersOf, placeOfFile, type RecordPlace } from './names.js';
import { inTree } from './trouble.js';

/** A record as a tree has it. */
export interface TreeRecord extends RecordPlace {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** What was exported; undefined: the record is new. */
  readonly exported: ManifestRecord | undefined;
  readonly isChanged: boolean;
}

/** Something that Vitess takes for wrong, in a record that is new or was edited. */
export interface TreeProblem {
  readonly file: string;
  readonly text: string;
  readonly hint?: string | undefined;
}

/** A tree of files that {@link writeTree} made, and somebody may have edited. */
export interface Tree {
  readonly head: ManifestHead;
  readonly records: readonly TreeRecord[];
  /** What was exported, and whose files are gone. */
  readonly removed: readonly ManifestRecord[];
  readonly problems: readonly TreeProblem[];
}

/**
 * Reads a tree. Usage, naming the files: what is no file of a tree, one record in two files, JSON that does not fit its message. A
 * record that is as it was exported has the bytes that it was exported from.
 */
export async function readTree(folder: string): Promise<Tree> {
  const manifest = join(folder, MANIFEST);
  const { head, records: exported } = parseManifest(
    await inTree(manifest, () => readFile(manifest, 'utf8')),
    manifest,
  );
  const byFile = new Map(exported.map((record) => [record.file, record]));
  const byPlace = new Map(exported.map((record) => [keyOf(record), record]));
  const folders = foldersOf(exported);
  const unknown: string[] = [];
  const found = new Map<string, RecordPlace & { file: string; isJson: boolean }>();
  for await (const { file, isFile } of filesIn(folder, '')) {
    if (file === MANIFEST) continue;
    const known = byFile.get(file);
    const place = isFile ? (known ?? newPlace(file, folders)) : undefined;
    if (place === undefined) {
      unknown.push(file);
      continue;
    }
    const { scope, path } = place;
    const other = found.get(keyOf(place));
    if (other !== undefined) throw refused(`${other.file} and ${file} are one record`, 'leave one of them');
    found.set(keyOf(place), { scope, path, file, isJson: file.endsWith('.json') });
  }
  if (unknown.length > 0)
    throw refused(
      `not files of this tree: ${some(unknown)}`,
      'move them elsewhere; a new record is PATH.json where its kind has a form in JSON, else PATH.txt or PATH.bin',
    );
  const records: TreeRecord[] = [];
  for (const place of found.values())
    records.push(await readRecord(folder, place, byPlace.get(keyOf(place))));
  checkCells(records);
  return {
    head,
    records,
    removed: exported.filter((record) => !found.has(keyOf(record))),
    problems: records.filter(({ isChanged }) => isChanged).flatMap(problemsOf),
  };
}

function keyOf({ scope, path }: RecordPlace): string {
  return `${scope}\0${path}`;
}

/** The record of a file that the manifest does not have; undefined: it is none. */
function newPlace(file: string, folders: ReadonlyMap<string, RecordPlace>): RecordPlace | undefined {
  const place = placeOfFile(file, folders);
  if (place === undefined) return undefined;
  const { row } = kindOf(place.scope, place.path);
  if (row.copied === false || (place.ending === '.json' && row.message === null)) return undefined;
  try {
    checkPath(place.path, 'record');
  } catch {
    return undefined;
  }
  return place;
}

async function readRecord(
  folder: string,
  { scope, path, file, isJson }: RecordPlace & { readonly file: string; readonly isJson: boolean },
  exported: ManifestRecord | undefined,
): Promise<TreeRecord> {
  const contents = await inTree(join(folder, file), () => readFile(join(folder, file)));
  const { row } = kindOf(scope, path);
  const bytes =
    isJson && row.message !== null
      ? fromJson(row.message, contents, file, exported)
      : exported?.bare === true && exported.file === file
        ? withoutLineFeed(contents)
        : new Uint8Array(contents);
  return { scope, path, file, bytes, exported, isChanged: digestOf(bytes) !== exported?.sha256 };
}

function fromJson(
  message: string,
  contents: Buffer,
  file: string,
  exported: ManifestRecord | undefined,
): Uint8Array {
  const original = exported?.original === undefined ? undefined : Buffer.from(exported.original, 'base64');
  try {
    const text = decodeText(contents);
    const untouched = asExported(message, text, exported, original);
    if (untouched !== undefined) return untouched;
    const json = readJsonObject(text);
    return fitting(() =>
      original === undefined ? encode(message, json) : reencode(message, original, () => json),
    );
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    throw new TopologyError(error.code, `${file}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

/** The exported bytes, where a file says what they say; undefined: it says something else, or cannot be read. */
function asExported(
  message: string,
  text: string,
  exported: ManifestRecord | undefined,
  original: Uint8Array | undefined,
): Uint8Array | undefined {
  if (exported === undefined) return undefined;
  try {
    const json = JSON.parse(text) as JsonObject;
    if (original !== undefined)
      return isDeepStrictEqual(json, decode(message, original).json) ? original : undefined;
    const bytes = encode(message, json);
    return digestOf(bytes) === exported.sha256 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** Without the line feed that an editor adds at the end. */
function withoutLineFeed(contents: Buffer): Uint8Array {
  return new Uint8Array(contents.at(-1) === 10 ? contents.subarray(0, -1) : contents);
}

function problemsOf({ scope, path, bytes, file, exported }: TreeRecord): TreeProblem[] {
  const { row, names } = kindOf(scope, path);
  const named = pathProblems({ scope, path, row, names }).filter(
    ({ always }) => exported === undefined || always === true,
  );
  const found = row.message === null ? [] : recordProblems(row.message, bytes, { scope, names });
  return [...named, ...found].map(({ text, hint }) => ({ file, text, hint }));
}

/** Refuses records of a cell that the tree does not have: nobody would look for them. Usage. */
function checkCells(records: readonly TreeRecord[]): void {
  const cells = new Set(
    records.flatMap(({ scope, path }) => {
      const cell = /^cells\/([^/]+)\/CellInfo$/.exec(path)?.[1];
      return scope === GLOBAL && cell !== undefined ? [cell] : [];
    }),
  );
  const lost = records.find(({ scope }) => scope !== GLOBAL && !cells.has(scope));
  if (lost === undefined) return;
  throw refused(
    `${lost.file} is in cell ${lost.scope}, of which the tree has no CellInfo`,
    'a cell is added with topo2topo cell add, and exported then',
  );
}

async function* filesIn(root: string, below: string): AsyncGenerator<{ file: string; isFile: boolean }> {
  const entries = await inTree(join(root, below), () => readdir(join(root, below), { withFileTypes: true }));
  for (const entry of entries) {
    const file = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* filesIn(root, file);
    else yield { file, isFile: entry.isFile() };
  }
}

function refused(what: string, hint: string): TopologyError {
  return new TopologyError(ErrorCode.Usage, what, { hint });
}

const SHOWN = 20;

function some(names: readonly string[]): string {
  const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more}`;
}
