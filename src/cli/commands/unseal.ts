import { storesOf } from '../../copy/freeze-seal.js';
import { sleep } from '../../copy/pace.js';
import { systemClock } from '../../topo/clock.js';
import type { Connection } from '../../topo/connection.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import { sealedBy, type Unsealed } from '../../topo/seal.js';
import type { Command } from '../command.js';
import { Exit, exitCodeOf } from '../exit.js';
import { errorText } from '../failure.js';
import { count, type Io, json } from '../io.js';
import { listLines } from '../lists.js';
import { ADDRESS_WORD, PLACE_FLAGS, withPlace } from '../place.js';

/** What became of one store. */
interface Row {
  readonly scope: string;
  readonly store: string;
  /** Why it is as it was: it cannot be sealed at all, or it failed. */
  readonly error?: unknown;
  readonly unsealed?: Unsealed | undefined;
  /** Somebody else was taking it off, too. */
  readonly beside?: boolean;
}

/** How often it is tried again to take off what somebody else is taking off, and milliseconds in between. */
const TRIES = 20;
const RETRY_MS = 500;

export const unsealCommand: Command = {
  command: 'unseal [address]',
  describe:
    'take a seal off: everybody has the rights again that he had, whoever sealed and however far he got',
  words: [ADDRESS_WORD],
  flags: PLACE_FLAGS,
  examples: [
    ['$0 unseal zk2://zk1:2181/vitess/global', 'the global store and the stores of all cells'],
    ['$0 unseal --config topo2topo.yaml --side from', 'the source of a move, after a freeze that was killed'],
  ],
  run: (flags, io, signal) =>
    withPlace(flags, io, signal, { names: [], access: 'lock' }, async ({ topology }) => {
      const stores = await storesOf(topology, { signal });
      const rows = await Promise.all([...stores].map(([scope, store]) => unsealOne(scope, store, signal)));
      if (flags['output'] === 'json') io.out(json({ command: 'unseal', stores: rows.map(rowJson) }));
      else for (const row of rows) io.out(rowText(io, row));
      const failed = rows.find(({ error }) => error !== undefined && !isUnsupported(error));
      if (failed !== undefined) return exitCodeOf(failed.error);
      return rows.some(({ unsealed }) => (unsealed?.changed.length ?? 0) > 0) ? Exit.Different : Exit.Ok;
    }),
};

/** One store that cannot be reached keeps no other one sealed. */
async function unsealOne(scope: string, store: Connection, signal: AbortSignal): Promise<Row> {
  const row = { scope, store: store.store };
  for (let left = TRIES; ; left--) {
    try {
      return { ...row, unsealed: await store.unseal({ signal }), beside: left < TRIES };
    } catch (error) {
      if (!isTopologyError(error, ErrorCode.BadVersion, ErrorCode.NoNode)) return { ...row, error };
      if (left === 0) return { ...row, error: error.withHint(BESIDE) };
    }
    try {
      await sleep(systemClock, RETRY_MS, signal);
    } catch (error) {
      return { ...row, error };
    }
  }
}

const BESIDE =
  'somebody else, a freeze that ends for instance, is taking the seal off as well: run unseal again when that is done';

function isUnsupported(error: unknown): boolean {
  return isTopologyError(error, ErrorCode.Unsupported);
}

function rowText(io: Io, { scope, store, error, unsealed, beside }: Row): string {
  const { bold, dim, green, yellow } = io.colors;
  const head = `${bold(scope)} ${dim(store)}`;
  if (unsealed === undefined)
    return isUnsupported(error) ? `${head}: cannot be sealed` : `${head}\n${errorText(io, error)}`;
  const { seal, restored, changed } = unsealed;
  if (seal === undefined && restored === 0)
    return beside === true
      ? `${green('unsealed')} ${head}: by somebody else at the same time`
      : `${head}: was not sealed`;
  const by = seal === undefined ? 'what was left of a seal' : `sealed by ${sealedBy(seal)}`;
  return [
    `${green('unsealed')} ${head}: ${by}; ${count(restored, 'right')} given back`,
    ...listLines(io, yellow('changed by somebody else meanwhile, and left as they are'), changed),
  ].join('\n');
}

function rowJson({ scope, store, error, unsealed }: Row): object {
  if (unsealed === undefined)
    return { scope, store, error: error instanceof Error ? error.message : String(error) };
  const { seal, restored, changed } = unsealed;
  const { id, host, user, since } = seal ?? {};
  return {
    scope,
    store,
    restored,
    changed,
    ...(since === undefined ? {} : { seal: { id, host, user, since: new Date(since).toISOString() } }),
  };
}
