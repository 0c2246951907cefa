import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import type { PlanContext } from '../../src/copy/context.js';
import { type MirrorOptions, mirror } from '../../src/copy/mirror.js';
import { parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import type { CallOptions, Connection } from '../../src/topo/connection.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import { find } from '../../src/topo/find.js';
import { type Call, DelegatingConnection } from '../../src/topo/wrappers/base.js';
import { withFaults } from '../../src/topo/wrappers/fault.js';
import type { FaultableCall } from '../../src/topo/wrappers/fault-plan.js';
import { SETTINGS } from '../support/topologies.js';

const PATH = 'metadata/key';
let from: Connection;
let to: Connection;

beforeEach(async () => {
  const id = randomUUID();
  const stores = storesFor(SETTINGS, 'write');
  from = await stores.open(parseAddress(`memory://zookeeper:${id}/from`), 'global');
  to = await stores.open(parseAddress(`memory://etcd:${id}/to`), 'global');
});
afterEach(() => Promise.all([from.close(), to.close()]));

const context = (more: Partial<PlanContext> = {}): PlanContext => ({
  scope: 'global',
  from: from.store,
  to: to.store,
  capabilities: to.capabilities,
  root: '/to',
  cells: new Map(),
  ...more,
});
const options = (more: Partial<MirrorOptions> = {}): MirrorOptions => ({
  from,
  to,
  context: context(),
  mayReplace: () => true,
  check: () => {},
  ...more,
});
const held = async (store: Connection) => {
  const value = await find(store, PATH, {});
  return value === undefined ? undefined : Buffer.from(value.bytes).toString();
};

/** Does something right before, or after, a call of one method. */
class Between extends DelegatingConnection {
  readonly #method: string;
  readonly #when: 'before' | 'after';
  readonly #work: () => Promise<unknown>;

  constructor(inner: Connection, when: 'before' | 'after', method: string, work: () => Promise<unknown>) {
    super(inner);
    this.#method = method;
    this.#when = when;
    this.#work = work;
  }

  protected override async around<T>(
    call: Call<T>,
    chosen: CallOptions | undefined,
    next: (chosen: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    if (call.method === this.#method && this.#when === 'before') await this.#work();
    const answer = await next(chosen);
    if (call.method === this.#method && this.#when === 'after') await this.#work();
    return answer;
  }
}

/** Only the first time. */
function once(work: () => Promise<unknown>): () => Promise<unknown> {
  let done = false;
  return async () => {
    if (done) return;
    done = true;
    await work();
  };
}

test('makes, replaces and (where that is ours) deletes one record, and writes nothing when both are equal', async () => {
  await from.create(PATH, Buffer.from('1'));
  expect((await mirror(PATH, options())).type).toBe('written');
  expect(await held(to)).toBe('1');
  expect((await mirror(PATH, options())).type).toBe('same');
  await from.update(PATH, Buffer.from('2'), null);
  await mirror(PATH, options());
  expect(await held(to)).toBe('2');
  await from.delete(PATH, null);
  expect(await mirror(PATH, options())).toMatchObject({ type: 'same' });
  expect(await held(to)).toBe('2');
  await mirror(PATH, options({ context: context({ deletes: true }) }));
  expect(await held(to)).toBeUndefined();
});

test('never replaces what is somebody else’s, and names it', async () => {
  await from.create(PATH, Buffer.from('ours'));
  await to.create(PATH, Buffer.from('theirs'));
  const failed = mirror(PATH, options({ mayReplace: (existing) => existing === undefined }));
  await expect(failed).rejects.toMatchObject({ code: 'Guard', path: PATH });
  expect(await held(to)).toBe('theirs');
});

test('does not write an old state over a new one: what changed in the source while it was written is written again', async () => {
  await from.create(PATH, Buffer.from('1'));
  const change = once(() => from.update(PATH, Buffer.from('2'), null));
  await mirror(PATH, options({ to: new Between(to, 'before', 'create', change) }));
  expect(await held(to)).toBe('2');
});

test('does not bring a record back that was deleted in the source while it was written', async () => {
  await from.create(PATH, Buffer.from('1'));
  const vanish = once(() => from.delete(PATH, null));
  await mirror(PATH, options({ to: new Between(to, 'before', 'create', vanish) }));
  expect(await held(to)).toBeUndefined();
});

test('a write that lost its race begins anew with what is there then', async () => {
  await from.create(PATH, Buffer.from('1'));
  const rival = once(() => to.create(PATH, Buffer.from('rival')));
  const racing = new Between(to, 'before', 'create', rival);
  await mirror(PATH, options({ to: racing }));
  expect(await held(to)).toBe('1');
});

test('a lost answer is decided by reading', async () => {
  await from.create(PATH, Buffer.from('1'));
  const choose = ({ method, nth }: FaultableCall) =>
    method === 'create' && nth < 3 ? ({ kind: 'drop answer' } as const) : undefined;
  const lossy = withFaults(to, { clock: systemClock, choose });
  expect(await mirror(PATH, options({ to: lossy }))).toMatchObject({ type: 'same' });
  expect(await held(to)).toBe('1');
});

test.each(['get of the destination', 'position of the source', 'get of the source'])(
  'a write whose answer was lost is told as that where a %s fails afterwards',
  async (which) => {
    await from.create(PATH, Buffer.from('1'));
    let isLost = false;
    const choose = ({ method }: FaultableCall) => {
      if (method !== 'create') return undefined;
      isLost = true;
      return { kind: 'drop answer' } as const;
    };
    const [method = '', , , side] = which.split(' ');
    const failing = (inner: Connection) =>
      new Between(inner, 'before', method, async () => {
        if (isLost) throw new TopologyError(ErrorCode.Timeout, 'it took too long', { path: PATH });
      });
    const lossy = withFaults(to, { clock: systemClock, choose });
    const sides = side === 'source' ? { from: failing(from), to: lossy } : { to: failing(lossy) };
    const failed = mirror(PATH, options(sides));
    await expect(failed).rejects.toMatchObject({ code: 'OutcomeUnknown', path: PATH });
    // Nor is one that was sent before.
    const [unknown] = await Promise.allSettled([failed]);
    const again = mirror(
      PATH,
      options({ ...sides, unknown: unknown.status === 'rejected' ? unknown.reason : undefined }),
    );
    await expect(again).rejects.toMatchObject({ code: 'OutcomeUnknown', path: PATH });
  },
);

test('a record that never stands still is in flight, and is named', async () => {
  await from.create(PATH, Buffer.from('0'));
  let count = 0;
  const restless = new Between(from, 'after', 'get', () =>
    from.update(PATH, Buffer.from(String(++count)), null),
  );
  await expect(mirror(PATH, options({ from: restless }))).rejects.toMatchObject({
    code: 'Unavailable',
    path: PATH,
  });
});

test('a destination that answers no write, as one without room does, is told of, and not the record', async () => {
  await from.create(PATH, Buffer.from('1'));
  const full = new TopologyError(ErrorCode.OutcomeUnknown, 'the servers are out of space', {
    path: PATH,
    store: to.store,
    hint: 'give it more room',
  });
  const refusing = new Between(to, 'before', 'create', () => Promise.reject(full));
  await expect(mirror(PATH, options({ to: refusing }))).rejects.toBe(full);
});
