import { text } from '../editing/ranges.js';
import type { JsonObject } from '../topo/codec-json.js';
import { termOf } from '../topo/term.js';
import { found, type LintFinding, type Where } from './finding.js';
import { termText } from './terms.js';
import { type KnownShard, shardPath, type World } from './world.js';

/** What is kept of a tablet that a shard names. */
interface Seen {
  readonly id: string;
  readonly isPrimary: boolean;
  readonly term: bigint;
}

/** Primaries: what the shards say, compared with what the tablets say. Of all others nothing is kept. */
export class Primaries {
  readonly #world: World;
  readonly #wanted = new Set<string>();
  /** Undefined: there is such a record, and it does not decode. */
  readonly #seen = new Map<string, Seen | undefined>();

  constructor(world: World) {
    this.#world = world;
    for (const { primary } of allShards(world)) if (primary !== undefined) this.#wanted.add(primary);
  }

  /** Takes note of a tablet; undefined: it does not decode. */
  see(alias: string, json: JsonObject | undefined): void {
    if (!this.#wanted.has(alias)) return;
    this.#seen.set(
      alias,
      json && {
        id: `${text(json['keyspace'])}/${text(json['shard'])}`,
        isPrimary: json['type'] === 'PRIMARY',
        term: termOf(json['primary_term_start_time']),
      },
    );
  }

  /** Whether a tablet says that it is the primary of a shard that names another one, or none. */
  *unnamed(shard: KnownShard, alias: string, json: JsonObject, where: Where): Generator<LintFinding> {
    if (json['type'] !== 'PRIMARY' || !shard.isRead || shard.primary === alias) return;
    const term = termOf(json['primary_term_start_time']);
    const isLater = term > shard.term;
    yield found(
      'primary-unnamed',
      { ...where, keyspace: shard.keyspace, shard: shard.name },
      `${shard.keyspace}/${shard.name} names ${shard.primary ?? 'no primary'}, of ${termText(shard.term)}; this one is of ${termText(term)}: ` +
        (isLater ? 'it takes over' : 'it steps down'),
      isLater ? 'error' : 'warn',
    );
  }

  /** What is wrong with the primaries that shards name. `read`: cells whose stores were read. */
  *end(read: ReadonlySet<string>): Generator<LintFinding> {
    for (const shard of allShards(this.#world)) {
      const { primary, primaryCell } = shard;
      if (primary === undefined || primaryCell === undefined || !read.has(primaryCell)) continue;
      yield* this.#compare(shard, primary);
    }
  }

  *#compare(shard: KnownShard, primary: string): Generator<LintFinding> {
    const where = { path: shardPath(shard), keyspace: shard.keyspace, shard: shard.name };
    const named = { ...where, tablet: primary };
    if (!this.#seen.has(primary)) {
      yield found('primary-gone', where, `there is no tablet ${primary}`);
      return;
    }
    const seen = this.#seen.get(primary);
    if (seen === undefined) return;
    if (seen.id !== `${shard.keyspace}/${shard.name}`) {
      yield found('primary-elsewhere', where, `the primary ${primary} is a tablet of ${seen.id}`);
    } else if (!seen.isPrimary) {
      yield found('primary-type', named, `the primary ${primary} is of another type`);
    } else if (seen.term !== shard.term) {
      const terms = `${termText(shard.term)} in the shard, ${termText(seen.term)} in the tablet`;
      yield found('primary-term', named, `the term of ${primary}: ${terms}`);
    }
  }
}

function* allShards(world: World): Generator<KnownShard> {
  for (const { shards } of world.keyspaces.values()) yield* shards.values();
}
