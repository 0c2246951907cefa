import { createHash } from 'node:crypto';
import { joinPath } from '../topo/paths.js';
import { GLOBAL } from '../topo/topology.js';

/** A record's place in a topology. */
export interface RecordPlace {
  readonly scope: string;
  readonly path: string;
}

/** What a record's file ends with: the record as JSON, as text, or its bytes. */
export type Ending = '.json' | '.txt' | '.bin';

const ENDINGS: readonly Ending[] = ['.json', '.txt', '.bin'];
/** Longest name of a file before its ending; file systems take 255 bytes. */
const MAX_NAME = 200;
/** In a name that does not show its segment by itself, but by the manifest. */
const CUT = '%~';
/** Names that Windows keeps for devices, whatever they end with. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * Names of files for records, in the tree of their paths: what a file system may not hold is written as `%` and two hexadecimal
 * digits for each byte. Two records never share a name, also where capitals do not count.
 */
export class FileNames {
  /** By name in small letters: the record or directory that has it. */
  readonly #taken = new Map<string, string>();

  /** The file of a record, below the root of the tree. Always the same for the same records in the same order. */
  fileOf(place: RecordPlace, ending: Ending): string {
    const segments = place.path.split('/');
    const last = segments.pop() ?? '';
    let folder = this.#scopeFolder(place.scope);
    let path = '';
    for (const segment of segments) {
      path = joinPath(path, segment);
      folder = this.#claim(folder, segment, '', `folder ${place.scope}/${path}`);
    }
    return this.#claim(folder, last, ending, `record ${place.scope}/${place.path}`);
  }

  #scopeFolder(scope: string): string {
    return scope === GLOBAL ? GLOBAL : this.#claim(CELLS, scope, '', `cell ${scope}`);
  }

  #claim(folder: string, segment: string, ending: string, whose: string): string {
    const name = escaped(segment);
    const wanted = `${folder}/${name}${ending}`;
    const owner = this.#taken.get(wanted.toLowerCase());
    const isFree = owner === undefined || owner === whose;
    const given =
      isFree && name.length <= MAX_NAME
        ? wanted
        : `${folder}/${name.slice(0, MAX_NAME / 2)}${CUT}${createHash('sha256').update(segment).digest('hex').slice(0, 12)}${ending}`;
    this.#taken.set(given.toLowerCase(), whose);
    return given;
  }
}

const CELLS = 'cells';

/** A segment of a path as a name that every file system holds. */
function escaped(segment: string): string {
  const plain = [...Buffer.from(segment)]
    .map((byte) => (SAFE.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : hex(byte)))
    .join('')
    .replace(/^\.|\.$/g, hex(0x2e));
  return DEVICE.test(plain) ? `${hex(plain.charCodeAt(0))}${plain.slice(1)}` : plain;
}

const SAFE = /[A-Za-z0-9_@+=,.-]/;

function hex(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** What {@link escaped} made a name of; undefined when it made none like it. */
function unescaped(name: string): string | undefined {
  if (/%(?![0-9A-F]{2})/.test(name)) return undefined;
  const bytes = Buffer.from(
    name.replace(/%([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    'latin1',
  );
  const segment = bytes.toString('utf8');
  return escaped(segment) === name ? segment : undefined;
}

/** The folders of records whose files are known, by what they stand for. */
export function foldersOf(
  known: Iterable<RecordPlace & { readonly file: string }>,
): Map<string, RecordPlace> {
  const folders = new Map<string, RecordPlace>();
  for (const { file, scope, path } of known) {
    const names = file.split('/');
    const segments = path.split('/');
    for (let up = 1; up <= segments.length; up++)
      folders.set(names.slice(0, -up).join('/'), { scope, path: segments.slice(0, -up).join('/') });
  }
  return folders;
}

/**
 * The record that a new file stands for, by its name and the folders that are known; undefined: none.
 */
export function placeOfFile(
  file: string,
  folders: ReadonlyMap<string, RecordPlace>,
): (RecordPlace & { readonly ending: Ending }) | undefined {
  const ending = ENDINGS.find((each) => file.endsWith(each));
  if (ending === undefined) return undefined;
  const names = file.slice(0, -ending.length).split('/');
  const last = names.pop() ?? '';
  const folder = folderPlace(names, folders);
  const segment = unescaped(last);
  if (folder === undefined || segment === undefined || segment === '') return undefined;
  return { scope: folder.scope, path: joinPath(folder.path, segment), ending };
}

function folderPlace(
  names: readonly string[],
  folders: ReadonlyMap<string, RecordPlace>,
): RecordPlace | undefined {
  const known = folders.get(names.join('/'));
  if (known !== undefined) return known;
  if (names.length === 1) return names[0] === GLOBAL ? { scope: GLOBAL, path: '' } : undefined;
  const segment = unescaped(names.at(-1) ?? '');
  if (segment === undefined || segment === '') return undefined;
  if (names.length === 2 && names[0] === CELLS)
    return segment === GLOBAL ? undefined : { scope: segment, path: '' };
  const above = folderPlace(names.slice(0, -1), folders);
  return above && { scope: above.scope, path: joinPath(above.path, segment) };
}
