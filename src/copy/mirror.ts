import type { CallOptions, Connection, StoredRecord, Value } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import { operationOf } from './batches.js';
import { foreignWrite, isConflict, metRecreation, recreationMet, unread } from './conflicts.js';
import type { PlanContext } from './context.js';
import { decide } from './decide.js';
import { isWrite, type WriteEntry } from './entries.js';
import { type Finding, lossFinding } from './findings.js';
import type { Ledger } from './ledger.js';

/** One path to be made equal, and what may be done for it. */
export interface MirrorOptions extends CallOptions {
  readonly from: Connection;
  readonly to: Connection;
  readonly context: PlanContext;
  /**
   * Whether the destination's record in this state may be replaced or deleted; undefined: whether it may be created. What
   * equals the source is never asked about.
   */
  readonly mayReplace: (existing: Value | undefined) => boolean;
  /** Refuses what a guard would stop: throws. */
  readonly check: (finding: Finding) => void;
  /** Told before each write is sent. */
  readonly beforeWrite?: ((entry: WriteEntry) => Promise<void> | void) | undefined;
  /** OutcomeUnknown of a write of this path that was sent before. */
  readonly unknown?: TopologyError | undefined;
}

/** What {@link mirror} did, or found. */
export type Mirrored =
  /** Nothing had to be done: equal, absent on both sides, or not a copy's business (with the reason). */
  | { readonly type: 'same'; readonly version: string | undefined; readonly reason: string }
  | { readonly type: 'written'; readonly version: string | undefined };

/** A record that changes faster than it can be read is in flight, and is named. */
const TRIES = 20;

/**
 * Makes one path of the destination equal to the source, whatever both hold by now; never more than that. Level-triggered: the
 * destination's state is read before the source's, and the write depends on it, so that nothing newer is ever replaced.
 * The unit under the conflicts of a copy, the follower, and repair. The context's ledger learns what becomes ours.
 *
 * Guard when the destination's record is somebody else's, or {@link MirrorOptions.check} says so; Unavailable when the source's
 * record does not stand still; OutcomeUnknown when what a write came to could not be read afterwards, or no write is answered.
 */
export async function mirror(path: string, options: MirrorOptions): Promise<Mirrored> {
  const { from, to, context, mayReplace, check, beforeWrite } = options;
  const { ledger } = context;
  const call = { signal: options.signal, deadline: options.deadline };
  let written: { readonly version: string | undefined } | undefined;
  let unknown: unknown = options.unknown;
  const orUnknown = (failure: unknown): never => {
    throw unread(unknown, failure);
  };
  for (let tries = 0; tries < TRIES; tries++) {
    const existing = await find(to, path, call).catch(orUnknown);
    ledger?.recognise(path, existing);
    // A follower of ZooKeeper may be behind: brought up to date after the destination was read.
    await from.position(call).catch(orUnknown);
    const source = await find(from, path, call).catch(orUnknown);
    const isOurs = written !== undefined && existing?.version.token === written.version;
    const rules = isOurs && context.paths === undefined ? { ...context, deletes: true } : context;
    const decision = decide({ path, a: at(path, source), b: at(path, existing) }, rules);
    const entry = decision?.entry;
    for (const finding of decision?.findings ?? []) check(finding);
    if (entry !== undefined)
      for (const loss of decision?.carried?.losses ?? []) check(lossFinding(entry.kind, loss));
    if (entry === undefined || !isWrite(entry)) {
      const isEqual = entry === undefined ? existing === undefined : entry.reason === '';
      if (isEqual) note(ledger, path, existing?.version.token);
      if (written !== undefined) return { type: 'written', ...written };
      return { type: 'same', version: existing?.version.token, reason: entry?.reason ?? '' };
    }
    if (!isOurs && !mayReplace(existing)) throw foreignWrite(to.store, path, unknown);
    await beforeWrite?.(entry);
    try {
      written = { version: await writeOne(to, entry, call) };
      unknown = undefined;
      note(ledger, path, written.version);
    } catch (error) {
      if (metRecreation(error)) throw recreationMet(to.store, path, error);
      if (isTopologyError(error, ErrorCode.OutcomeUnknown))
        ledger?.meant(path, entry.action === 'delete' ? undefined : entry.bytes);
      else if (!isConflict(error)) throw error;
      unknown = error;
      continue;
    }
    // What was deleted or changed in the source meanwhile must not live on in the destination.
    const after = await find(from, path, call);
    if (after?.version.token === source?.version.token) return { type: 'written', ...written };
  }
  // Where the destination tells of no write what became of it, as an etcd without room does, the record is not the reason.
  return orUnknown(
    new TopologyError(ErrorCode.Unavailable, 'the record changes faster than it can be copied', {
      path,
      store: from.store,
      hint: 'look at what writes it so often, then run the command again',
      cause: unknown,
    }),
  );
}

function note(ledger: Ledger | undefined, path: string, version: string | undefined): void {
  if (version === undefined) ledger?.forget(path);
  else ledger?.own(path, version);
}

/** Does what an entry says, in the state that it names. The new version, without its store; undefined after a deletion. */
export async function writeOne(
  to: Connection,
  entry: WriteEntry,
  call: CallOptions,
): Promise<string | undefined> {
  const op = operationOf(entry, to.store);
  if (op.type === 'create') return (await to.create(op.path, op.bytes, call)).token;
  if (op.type === 'update') return (await to.update(op.path, op.bytes, op.version, call)).token;
  await to.delete(op.path, op.version, call);
  return undefined;
}

function at(path: string, value: Value | undefined): StoredRecord | undefined {
  return value === undefined ? undefined : { path, ...value };
}
