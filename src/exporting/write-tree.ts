import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatAddress } from '../topo/address.js';
import { decode, decodeProblem, encode } from '../topo/codec.js';
import type { CallOptions, StoredRecord } from '../topo/connection.js';
import { isErrno } from '../topo/errno.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { nothingIn } from '../topo/find.js';
import { makeFolders } from '../topo/folders.js';
import { formatIdentity } from '../topo/identity.js';
import { classify, type Kind, type KindRow, notCopiedReason } from '../topo/kinds.js';
import type { Beside, RecordForm } from '../topo/told.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import { digestOf, formatManifest, MANIFEST, type ManifestHead, type ManifestRecord } from './manifest.js';
import { type Ending, FileNames } from './names.js';
import { inTree } from './trouble.js';

/** What was written. */
export interface WrittenTree {
  readonly records: number;
  readonly scopes: Readonly<Record<string, number>>;
  readonly leftOut: Readonly<Record<string, number>>;
  /** Records that do not decode, as SCOPE:PATH: their bytes are in the tree. */
  readonly undecodable: readonly string[];
}

/** Somebody who is told of all that a tree is made of, and may object to it. */
export interface TreeJudge {
  /** A store is read next. `form`: how it keeps records; undefined: as today's stores do. */
  begin(scope: string, form: RecordForm | undefined): void;
  /** Why a record of the store stays out of the tree; undefined: it does not. */
  leavesOut(kind: Kind, record: StoredRecord): string | undefined;
  /** What the store holds beside records, which is never in a tree. */
  beside(beside: Beside): void;
  /** Everything was told. Throws what keeps the tree from being. */
  end(): void;
}

/**
 * Writes a topology as a tree of files, one for each record, into a folder that does not exist yet. The folder has its name only when
 * everything is in it, and `judge` does not object. Usage when it exists; Unavailable when it cannot be written; NoNode when there is
 * nothing to write.
 */
export async function writeTree(
  topology: Topology,
  folder: string,
  {
    tool,
    exported,
    judge,
    signal,
    deadline,
  }: CallOptions & Pick<ManifestHead, 'tool' | 'exported'> & { readonly judge: TreeJudge },
): Promise<WrittenTree> {
  await checkFree(folder);
  const partial = `${folder.replace(/\/+$/, '')}.${randomBytes(4).toString('hex')}.partial`;
  const writer = new TreeWriter(partial, judge);
  const identities: Record<string, string> = {};
  const positions: Record<string, readonly [string, string]> = {};
  try {
    await inTree(partial, () => makeFolders(partial));
    const cells = await topology.cells({ signal, deadline });
    for (const cell of [undefined, ...cells]) {
      const scope = cell?.name ?? GLOBAL;
      const store = cell === undefined ? topology.global : await topology.cell(cell);
      const call = { signal, deadline };
      judge.begin(scope, store.capabilities.form);
      let first: bigint | undefined;
      let last = 0n;
      for await (const page of store.scan('', call)) {
        first ??= page.position;
        last = page.position;
        for (const record of page.records) await writer.add(scope, record);
        for (const beside of page.beside ?? []) judge.beside(beside);
      }
      identities[scope] = formatIdentity(await store.identity(call));
      positions[scope] = [String(first ?? last), String(last)];
    }
    if (writer.records.length === 0 && writer.leftOut.size === 0) throw nothingIn(topology.global);
    judge.end();
    const head = {
      tool,
      exported,
      from: formatAddress(topology.address),
      identities,
      positions,
      leftOut: Object.fromEntries(writer.leftOut),
    };
    await inTree(partial, async () => {
      await writeFile(join(partial, MANIFEST), formatManifest(head, writer.records), {
        mode: 0o600,
        flush: true,
      });
      await rename(partial, folder);
      await syncFolder(dirname(folder));
    });
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
  const scopes: Record<string, number> = {};
  for (const { scope } of writer.records) scopes[scope] = (scopes[scope] ?? 0) + 1;
  return {
    records: writer.records.length,
    scopes,
    leftOut: Object.fromEntries(writer.leftOut),
    undecodable: writer.undecodable,
  };
}

class TreeWriter {
  readonly records: ManifestRecord[] = [];
  readonly leftOut = new Map<string, number>();
  readonly undecodable: string[] = [];
  readonly #folder: string;
  readonly #judge: TreeJudge;
  readonly #names = new FileNames();
  readonly #made = new Set<string>();

  constructor(folder: string, judge: TreeJudge) {
    this.#folder = folder;
    this.#judge = judge;
  }

  async add(scope: string, record: StoredRecord): Promise<void> {
    const { path, bytes, ephemeral } = record;
    const row = classify(scope === GLOBAL ? 'global' : 'cell', path, ephemeral);
    const reason = row.copied === false ? notCopiedReason(row.kind) : this.#judge.leavesOut(row.kind, record);
    if (reason !== undefined) {
      this.leftOut.set(reason, (this.leftOut.get(reason) ?? 0) + 1);
      return;
    }
    const form = formOf(row, bytes);
    if (row.message !== null && form.ending !== '.json') this.undecodable.push(`${scope}:${path}`);
    const file = this.#names.fileOf({ scope, path }, form.ending);
    await inTree(join(this.#folder, file), async () => {
      const parent = join(this.#folder, dirname(file));
      if (!this.#made.has(parent)) await makeFolders(parent);
      this.#made.add(parent);
      await writeFile(join(this.#folder, file), form.contents, { mode: 0o600, flag: 'wx' });
    });
    this.records.push({
      ...{ file, scope, path, kind: row.kind, sha256: digestOf(bytes) },
      ...(form.isExact ? {} : { original: Buffer.from(bytes).toString('base64') }),
      ...(form.ending === '.txt' && bytes.at(-1) !== LINE_FEED ? { bare: true as const } : {}),
    });
  }
}

const LINE_FEED = 10;

interface Form {
  readonly ending: Ending;
  readonly contents: string | Uint8Array;
  /** The same bytes come out of it. */
  readonly isExact: boolean;
}

function formOf({ message }: KindRow, bytes: Uint8Array): Form {
  if (message === null || decodeProblem(message, bytes) !== undefined)
    return { ending: isText(bytes) && message === null ? '.txt' : '.bin', contents: bytes, isExact: true };
  const { json } = decode(message, bytes);
  const isExact = Buffer.compare(encode(message, json), bytes) === 0;
  return { ending: '.json', contents: `${JSON.stringify(json, null, 2)}\n`, isExact };
}

/** Whether bytes are text that an editor leaves as it is. */
function isText(bytes: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text !== '' && !/[^\P{C}\n\t]/u.test(text);
  } catch {
    return false;
  }
}

async function checkFree(folder: string): Promise<void> {
  const isThere = await inTree(folder, () =>
    stat(folder).catch((error: unknown) => {
      if (!isErrno(error, 'ENOENT')) throw error;
    }),
  );
  if (!isThere) return;
  throw new TopologyError(ErrorCode.Usage, `${folder} exists already, and is left as it is`, {
    hint: 'give the name of a folder that does not exist',
  });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
