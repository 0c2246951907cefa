import type {
  CallOptions,
  HistoryEnd,
  IdentityOptions,
  PastState,
  ScanPage,
  StoredRecord,
  Value,
  WatchEvent,
  WriteOp,
} from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';
import { Version } from '../../src/topo/version.js';
import { DelegatingConnection } from '../../src/topo/wrappers/base.js';
import { type Broken, catches } from './broken.js';
import { utf8 } from './tools.js';

class ForgetsVersionCheck extends DelegatingConnection {
  override async update(path: string, bytes: Uint8Array, version: Version | null, options?: CallOptions) {
    if (version !== null) await this.inner.get(path, options);
    return this.inner.update(path, bytes, null, options);
  }
}

class ChecksThenWrites extends DelegatingConnection {
  override async update(path: string, bytes: Uint8Array, version: Version | null, options?: CallOptions) {
    const present = version === null ? undefined : await this.inner.get(path, options);
    const fits = present === undefined || version === null || present.version.equals(version);
    return this.inner.update(path, bytes, fits ? null : version, options);
  }
}

class TakesForeignVersions extends DelegatingConnection {
  override delete(path: string, version: Version | null, options?: CallOptions) {
    return this.inner.delete(path, version && Version.of(this.store, version.token), options);
  }
}

class LeaksPrefix extends DelegatingConnection {
  override async *scan(prefix: string, options?: CallOptions): AsyncGenerator<ScanPage> {
    for await (const { records, position } of this.inner.scan('', options))
      yield { records: records.filter(({ path }) => path.startsWith(prefix)), position };
  }
}

class LosesOneRecord extends DelegatingConnection {
  override async *scan(prefix: string, options?: CallOptions): AsyncGenerator<ScanPage> {
    let seen = 0;
    const keep = (record: StoredRecord) => {
      seen += 1;
      return seen !== 12_345 || record.path === '';
    };
    for await (const { records, position } of this.inner.scan(prefix, options))
      yield { records: records.filter(keep), position };
  }
}

class ScansShortInSilence extends DelegatingConnection {
  override async *scan(prefix: string, options?: CallOptions): AsyncGenerator<ScanPage> {
    let first: ScanPage | undefined;
    try {
      for await (const page of this.inner.scan(prefix, options)) {
        first ??= page;
        yield page;
      }
    } catch (error) {
      if (first === undefined || !isTopologyError(error, 'Interrupted', 'Timeout')) throw error;
    }
  }
}

class TellsHistoryForwards extends DelegatingConnection {
  override async *history(path: string, options?: CallOptions): AsyncGenerator<PastState | HistoryEnd> {
    const states: PastState[] = [];
    for await (const item of this.inner.history(path, options)) {
      if (item.type === 'past') states.push(item);
      else yield* [...states.reverse(), item];
    }
  }
}

class EndsHistoryInSilence extends DelegatingConnection {
  override async *history(path: string, options?: CallOptions): AsyncGenerator<PastState | HistoryEnd> {
    for await (const item of this.inner.history(path, options)) if (item.type === 'past') yield item;
  }
}

class LeavesDeletionsOut extends DelegatingConnection {
  override async *history(path: string, options?: CallOptions): AsyncGenerator<PastState | HistoryEnd> {
    for await (const item of this.inner.history(path, options))
      if (item.type === 'end' || item.value !== undefined) yield item;
  }
}

class ClaimsToKnowAll extends DelegatingConnection {
  override async *history(path: string, options?: CallOptions): AsyncGenerator<PastState | HistoryEnd> {
    for await (const item of this.inner.history(path, options))
      yield item.type === 'end' ? { type: 'end', reason: 'created' } : item;
  }
}

class OrdersBySegments extends DelegatingConnection {
  override async *scan(prefix: string, options?: CallOptions): AsyncGenerator<ScanPage> {
    const all: StoredRecord[] = [];
    let position = 0n;
    for await (const page of this.inner.scan(prefix, options)) {
      all.push(...page.records);
      position = page.position;
    }
    const key = ({ path }: StoredRecord) => path.replaceAll('/', '\u0001');
    yield { records: all.sort((a, b) => (key(a) < key(b) ? -1 : 1)), position };
  }
}

class OrdersByUtf16 extends DelegatingConnection {
  override async listDir(path: string, options?: CallOptions) {
    return (await this.inner.listDir(path, options)).sort();
  }
}

class HalfBatches extends DelegatingConnection {
  override async write(ops: readonly WriteOp[], options?: CallOptions) {
    const answer: (Version | undefined)[] = [];
    for (const op of ops) answer.push(...(await this.inner.write([op], options)));
    return answer;
  }
}

class SplitsBatches extends DelegatingConnection {
  override async write(ops: readonly WriteOp[], options?: CallOptions): Promise<(Version | undefined)[]> {
    const { maxOps } = this.capabilities.batch;
    if (ops.length <= maxOps) return this.inner.write(ops, options);
    const head = await this.inner.write(ops.slice(0, maxOps), options);
    return [...head, ...(await this.write(ops.slice(maxOps), options))];
  }
}

class HidesAbsence extends DelegatingConnection {
  override listDir(path: string, options?: CallOptions) {
    return this.inner.listDir(path, options).catch(() => []);
  }
}

class ThrowsItsOwn extends DelegatingConnection {
  override get(path: string, options?: CallOptions) {
    return this.inner.get(path, options).catch((error: Error) => {
      throw new Error(error.message);
    });
  }
}

class RepeatsCreates extends DelegatingConnection {
  override async create(path: string, bytes: Uint8Array, options?: CallOptions) {
    await this.inner.create(path, bytes, options);
    return this.inner.create(path, bytes, options);
  }
}

class WritesText extends DelegatingConnection {
  override create(path: string, bytes: Uint8Array, options?: CallOptions) {
    return this.inner.create(path, utf8(Buffer.from(bytes).toString()), options);
  }
}

class CachesReads extends DelegatingConnection {
  readonly #cache = new Map<string, Promise<Value>>();

  override get(path: string, options?: CallOptions) {
    const known = this.#cache.get(path) ?? this.inner.get(path, options);
    known.catch(() => this.#cache.delete(path));
    this.#cache.set(path, known);
    return known;
  }
}

class ForgetsSignals extends DelegatingConnection {
  override get(path: string, options?: CallOptions) {
    return this.inner.get(path, { deadline: options?.deadline });
  }
}

class ForgetsDeadlines extends DelegatingConnection {
  override create(path: string, bytes: Uint8Array, options?: CallOptions) {
    return this.inner.create(path, bytes, { signal: options?.signal });
  }
}

class KeepsListeners extends DelegatingConnection {
  override position(options?: CallOptions) {
    options?.signal?.addEventListener('abort', () => {});
    return this.inner.position(options);
  }
}

class ForgetsWitnesses extends DelegatingConnection {
  override identity({ signal, deadline }: IdentityOptions = {}) {
    return this.inner.identity({ signal, deadline });
  }
}

class IsTheClusterAlone extends DelegatingConnection {
  override async identity(options?: IdentityOptions) {
    return { ...(await this.inner.identity(options)), root: 'the cluster' };
  }
}

class LivesOn extends DelegatingConnection {
  override close(): Promise<void> {
    return Promise.resolve();
  }
}

class WatchesOnce extends DelegatingConnection {
  override async *watch(path: string, options?: CallOptions): AsyncGenerator<WatchEvent> {
    for await (const event of this.inner.watch(path, options)) {
      yield event;
      return;
    }
  }
}

class WatchesBackwards extends DelegatingConnection {
  override async *watch(path: string, options?: CallOptions): AsyncGenerator<WatchEvent> {
    let before: WatchEvent | undefined;
    for await (const event of this.inner.watch(path, options)) {
      yield event;
      if (before?.value !== undefined) {
        yield before;
        yield event;
      }
      before = event;
    }
  }
}

class WatchesNoDeletion extends DelegatingConnection {
  override async *watch(path: string, options?: CallOptions): AsyncGenerator<WatchEvent> {
    let existed = false;
    for await (const event of this.inner.watch(path, options)) {
      if (event.value !== undefined || !existed) yield event;
      existed ||= event.value !== undefined;
    }
  }
}

const BROKEN: Readonly<Record<string, Broken>> = {
  'forgets the version check': {
    make: ForgetsVersionCheck,
    caughtBy: [
      'update with a version that is past is BadVersion, and nothing is changed',
      'writers that increment one record by conditional updates lose none',
      'the version of a deleted record does not fit the record re-created in its place',
    ],
  },
  'checks the version and writes then': {
    make: ChecksThenWrites,
    caughtBy: [
      'writers that increment one record by conditional updates lose none',
      'of several updates from one version exactly one wins, the others are BadVersion',
    ],
  },
  'compares versions of another store': {
    make: TakesForeignVersions,
    caughtBy: ['a version of another store is refused with BadVersion, even when the rest of it fits'],
  },
  'leaks a prefix': {
    make: LeaksPrefix,
    caughtBy: [
      'the prefix ends at a path segment: a scan of zone1 does not see zone10',
      'the record at the prefix itself is not part of a scan',
    ],
  },
  'loses one record of 20,000': {
    make: LosesOneRecord,
    caughtBy: ['a scan of many records gives each once, in byte order, with its bytes'],
  },
  'ends a scan in silence': {
    make: ScansShortInSilence,
    caughtBy: [
      'a scan that is aborted half-way fails with Interrupted or is complete, never short in silence',
      'a scan whose deadline passes half-way fails with Timeout or is complete, never short in silence',
    ],
  },
  'tells a history from its beginning': {
    make: TellsHistoryForwards,
    caughtBy: [
      'a history gives every state, newest first, with its bytes and version, and says that it is whole',
    ],
  },
  'ends a history in silence': {
    make: EndsHistoryInSilence,
    caughtBy: [
      'a history gives every state, newest first, with its bytes and version, and says that it is whole',
      'of a record that is gone a history tells the deletion, and every life before it',
    ],
  },
  'leaves deletions out of a history': {
    make: LeavesDeletionsOut,
    caughtBy: ['of a record that is gone a history tells the deletion, and every life before it'],
  },
  'takes what is left of a history for all of it': {
    make: ClaimsToKnowAll,
    caughtBy: ['a history that was compacted says so'],
  },
  'orders a scan by segments': {
    make: OrdersBySegments,
    caughtBy: ['paths come in byte order: whole paths, not name by name'],
  },
  'orders names by UTF-16': {
    make: OrdersByUtf16,
    caughtBy: ['names come in the byte order of their UTF-8'],
  },
  'leaves half a batch': {
    make: HalfBatches,
    caughtBy: [
      'in a batch a create of what exists is NodeExists at any place, and nothing of the batch is done',
      'in a batch a check of a past version is BadVersion at any place, and nothing of the batch is done',
      'a batch is applied at one moment: a reader never finds a part of it',
    ],
  },
  'splits a batch that is too large': {
    make: SplitsBatches,
    caughtBy: ['a batch of more operations is TooLarge, and nothing is done'],
  },
  'hides an error': { make: HidesAbsence, caughtBy: ['listing what is absent is NoNode'] },
  'throws errors of its own': { make: ThrowsItsOwn, caughtBy: ['get of what is absent is NoNode'] },
  'meets its own create': {
    make: RepeatsCreates,
    caughtBy: ['create makes a record, which is then there for every method that reads'],
  },
  'takes bytes for text': {
    make: WritesText,
    caughtBy: ['every byte is kept, in any order and of any text'],
  },
  'reads from a cache': {
    make: CachesReads,
    caughtBy: [
      'reads see at once what this connection was told is written',
      'reads begun after position see everything that was acknowledged before it, whoever wrote it',
    ],
  },
  'forgets the signal': {
    make: ForgetsSignals,
    caughtBy: ['a call whose signal has fired is Interrupted, whatever the method, and changes nothing'],
  },
  'forgets the deadline': {
    make: ForgetsDeadlines,
    caughtBy: ['a call whose deadline has passed is Timeout, whatever the method, and changes nothing'],
  },
  'leaves listeners behind': {
    make: KeepsListeners,
    caughtBy: ['a call that is over leaves nothing on its signal, whatever the method'],
  },
  'forgets the witness': {
    make: ForgetsWitnesses,
    caughtBy: ['an identity is unchanged by writes that leave the witness'],
  },
  'tells clusters and not roots': {
    make: IsTheClusterAlone,
    caughtBy: [
      'another root has another identity',
      'a root that holds nothing has an identity that tells nothing',
      'a root whose records were all deleted and made anew has another identity',
    ],
  },
  'lives on after close': {
    make: LivesOn,
    caughtBy: ['after close every method is Interrupted, and changes nothing'],
  },
  'watches once': { make: WatchesOnce, caughtBy: ['a watch delivers a change'] },
  'delivers an older state': {
    make: WatchesBackwards,
    caughtBy: ['a watch delivers creation, deletion and re-creation'],
  },
  'does not tell of deletions': {
    make: WatchesNoDeletion,
    caughtBy: ['a watch delivers creation, deletion and re-creation'],
  },
};

catches(BROKEN);
