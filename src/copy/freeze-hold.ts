import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { SEAL } from '../topo/seal.js';
import type { AllLocks } from './freeze-locks.js';
import type { FreezeOptions } from './freeze-options.js';
import type { SourceSeal } from './freeze-seal.js';
import type { Frozen } from './freeze-work.js';
import { checkHeld } from './guard-passes.js';
import { sleep } from './pace.js';
import type { Part } from './parts.js';
import type { Standstill } from './standstill.js';

/**
 * Keeps locks and seal for as long as is wished, and watches the source; the caller's signal ends that well. LockLost when one is lost,
 * Guard at the end when somebody wrote.
 */
export async function hold(
  locks: AllLocks,
  seal: SourceSeal,
  frozen: Frozen,
  options: FreezeOptions,
): Promise<void> {
  const { clock, holdMs = 0, signal, onStep, onWrite } = options;
  if (holdMs <= 0) return;
  await onStep?.({ step: 'holding', since: locks.since });
  const { still, parts } = frozen;
  const { plan } = frozen.result;
  const moved = new Set<string>();
  const note = (path: string) => {
    if (moved.has(path)) return;
    moved.add(path);
    onWrite?.(path);
  };
  const ended = new AbortController();
  const over = AbortSignal.any([ended.signal, locks.lost, ...(signal === undefined ? [] : [signal])]);
  const watching = watchSource(parts, {
    signal: over,
    still,
    onWrite: note,
    onSeal: (call) => seal.check(call),
  });
  // Its failure ends the hold, and is the answer below.
  watching.catch(() => ended.abort());
  await sleep(clock, holdMs, over).catch(() => {});
  ended.abort();
  if (locks.lost.aborted) throw locks.lost.reason;
  await watching;
  for (const path of await still.moved(plan.scopes, parts, {})) note(path);
  await seal.check({});
  checkHeld([...moved]);
}

/** What is done about what a watch sees. */
interface SourceWatch {
  /** Ends the watch, and well. */
  readonly signal: AbortSignal;
  readonly still: Standstill;
  /** Told of each record (`SCOPE:PATH`) that is in another state than it was seen in. */
  readonly onWrite: (path: string) => void;
  /** Called when the record of the seal changed; what it throws ends the watch. */
  readonly onSeal: (call: CallOptions) => Promise<void>;
}

/** Watches the parts of a source for writes until the signal fires, those whose store can be watched. */
async function watchSource(parts: readonly Part[], watch: SourceWatch): Promise<void> {
  await Promise.all(parts.map((part) => watchPart(part, watch)));
}

async function watchPart(
  { scope, from }: Part,
  { signal, still, onWrite, onSeal }: SourceWatch,
): Promise<void> {
  const store = await from();
  if (!store.capabilities.watchRecursive) return;
  let isSynced = false;
  try {
    for await (const event of store.watchRecursive('', { signal })) {
      if (event.type === 'synced') isSynced = true;
      else if (event.path === SEAL && isSynced) await onSeal({ signal });
      else if (still.differs(scope, event.path, event.value)) onWrite(`${scope}:${event.path}`);
    }
  } catch (error) {
    if (!signal.aborted || !isTopologyError(error, ErrorCode.Interrupted)) throw error;
  }
}
