import { list, object, text } from '../editing/ranges.js';
import type { StoredRecord } from '../topo/connection.js';
import { found, type LintFinding } from './finding.js';
import { isSnapshot } from './keyspaces.js';
import type { Primaries } from './primaries.js';
import type { Examined, RecordCheck } from './record.js';
import { tabletItself } from './tablet.js';
import { aliasOf, type World } from './world.js';

/**
 * What is wrong in one cell's store. Its records come in the order of their paths, so ShardReplication before Tablet; of the
 * former only the tablets that are still to come are kept, of the latter nothing.
 */
export class CellCheck {
  readonly #cell: string;
  readonly #world: World;
  readonly #check: RecordCheck;
  readonly #primaries: Primaries;
  /** `<keyspace>/<shard>` of each tablet that ShardReplication names, by its number. */
  readonly #named = new Map<number, string>();
  /** Shards whose ShardReplication does not decode. */
  readonly #unread = new Set<string>();

  constructor(cell: string, world: World, check: RecordCheck, primaries: Primaries) {
    this.#cell = cell;
    this.#world = world;
    this.#check = check;
    this.#primaries = primaries;
  }

  /** What is wrong with the next record. */
  *add(record: StoredRecord): Generator<LintFinding> {
    const examined = this.#check.examine(this.#cell, record);
    yield* this.#own(examined);
    switch (examined.kind) {
      case 'ShardReplication':
        yield* this.#replication(examined);
        break;
      case 'Tablet':
        yield* this.#tablet(examined);
        break;
      case 'SrvKeyspace': {
        const { keyspace = '' } = examined.names;
        if (this.#world.keyspaces.get(keyspace)?.hasRecord === true) break;
        const what = `there is no keyspace ${keyspace}`;
        yield found('srv-keyspace-gone', { scope: this.#cell, path: record.path, keyspace }, what);
      }
    }
  }

  /** What is wrong once all records were seen. */
  *end(): Generator<LintFinding> {
    for (const [uid, shard] of this.#named) {
      const tablet = aliasOf({ cell: this.#cell, uid });
      yield found('replication-gone', this.#where(shard, tablet), `it names ${tablet}, which has no record`);
    }
  }

  /** What is wrong with a record by itself. What a snapshot keyspace lacks was told of its shards. */
  #own({ kind, names, found: all }: Examined): readonly LintFinding[] {
    const keyspace = this.#world.keyspaces.get(names['keyspace'] ?? '');
    const isPartial = kind === 'SrvKeyspace' && isSnapshot(keyspace?.json);
    return isPartial ? all.filter(({ id }) => id !== 'partition-cover') : all;
  }

  *#replication({ names, json, path }: Examined): Generator<LintFinding> {
    const { keyspace = '', shard = '' } = names;
    const id = `${keyspace}/${shard}`;
    if (json === undefined) this.#unread.add(id);
    const where = { scope: this.#cell, path, keyspace, shard };
    if (this.#world.keyspaces.get(keyspace)?.shards.has(shard) !== true) {
      yield found('replication-shard-gone', where, `there is no shard ${id}`);
      return;
    }
    for (const node of list(json?.['nodes']).map(object)) {
      const { cell, uid } = object(node['tablet_alias']);
      if (text(cell) !== this.#cell) continue;
      const number = Number(uid ?? 0);
      const other = this.#named.get(number);
      if (other !== undefined && other !== id) {
        const tablet = aliasOf(node['tablet_alias']);
        yield found(
          'replication-elsewhere',
          { ...where, tablet },
          `it names ${tablet}, as that of ${other} does`,
        );
      } else this.#named.set(number, id);
    }
  }

  *#tablet({ names, json, path }: Examined): Generator<LintFinding> {
    const { alias = '' } = names;
    const uid = uidIn(alias, this.#cell);
    const listedIn = uid === undefined ? undefined : this.#named.get(uid);
    if (uid !== undefined) this.#named.delete(uid);
    // Nobody looks for the tablet here; that was told.
    if (uid === undefined) return;
    this.#primaries.see(alias, json);
    if (json === undefined) return;
    const where = { scope: this.#cell, path, tablet: alias };
    yield* tabletItself(json, where);
    const [keyspace, shard] = [text(json['keyspace']), text(json['shard'])];
    if (keyspace === '' && shard === '') {
      yield found('tablet-without-keyspace', where, 'it is of no keyspace');
      return;
    }
    const known = this.#world.keyspaces.get(keyspace)?.shards.get(shard);
    const id = `${keyspace}/${shard}`;
    if (known === undefined) {
      yield found('tablet-shard-gone', { ...where, keyspace, shard }, `there is no shard ${id}`);
      return;
    }
    yield* this.#primaries.unnamed(known, alias, json, where);
    yield* this.#listed(alias, id, listedIn);
  }

  /** Compares where ShardReplication lists a tablet with where it belongs. */
  *#listed(alias: string, id: string, listedIn: string | undefined): Generator<LintFinding> {
    if (listedIn === id) return;
    if (listedIn !== undefined)
      yield found(
        'replication-elsewhere',
        this.#where(listedIn, alias),
        `it names ${alias}, which is of ${id}`,
      );
    else if (!this.#unread.has(id))
      yield found('replication-missing', this.#where(id, alias), `it does not name ${alias}`);
  }

  #where(id: string, tablet: string | undefined) {
    const slash = id.indexOf('/');
    const [keyspace, shard] = [id.slice(0, slash), id.slice(slash + 1)];
    const path = `keyspaces/${keyspace}/shards/${shard}/ShardReplication`;
    return { scope: this.#cell, path, keyspace, shard, cell: this.#cell, tablet };
  }
}

/** The number of a tablet, by its directory; undefined for one that is not the cell's, or not as Vitess writes it. */
function uidIn(directory: string, cell: string): number | undefined {
  const uid = Number(/-(\d+)$/.exec(directory)?.[1]);
  return uid <= 0xffff_ffff && aliasOf({ cell, uid }) === directory ? uid : undefined;
}
