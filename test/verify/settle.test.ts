import { afterEach, beforeEach, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { encode } from '../../src/topo/codec.js';
import type { CallOptions, Connection, Value } from '../../src/topo/connection.js';
import { Topology } from '../../src/topo/topology.js';
import { type Call, DelegatingConnection } from '../../src/topo/wrappers/base.js';
import type { VerifyOptions } from '../../src/verify/options.js';
import { decide } from '../../src/verify/verdict.js';
import { verify } from '../../src/verify/verify.js';
import { type Places, placesInMemory } from '../copy/followers.js';
import { SETTINGS, withStore } from '../support/topologies.js';

const SETTLE_MS = 200;
let places: Places;
let opened: Topology[];

beforeEach(async () => {
  places = placesInMemory();
  opened = [];
  await inSource('metadata/always', 'x');
  await inDestination('metadata/always', 'x');
});
afterEach(() => Promise.all(opened.map((topology) => topology.close())));

const put = (address: string, path: string, text: string | Uint8Array) =>
  withStore(address, async (store) => void (await store.update(path, Buffer.from(text), null)));
const inSource = (path: string, text: string) => put(places.source('global'), path, text);
const inDestination = (path: string, text: string) => put(places.destination('global'), path, text);

async function open(
  address: string,
  wrap: (store: Connection, scope: string) => Connection = (store) => store,
): Promise<Topology> {
  const stores = storesFor(SETTINGS, 'read');
  const topology = await Topology.open({
    global: parseAddress(address),
    stores: { ...stores, open: async (place, scope) => wrap(await stores.open(place, scope), scope) },
  });
  opened.push(topology);
  return topology;
}

async function verifying(more: Partial<VerifyOptions> = {}) {
  return verify({
    source: await open(places.source('global')),
    destination: await open(places.destination('global')),
    concurrency: 4,
    settle: { clock: systemClock, authority: 'source', forMs: SETTLE_MS },
    ...more,
  });
}

/** Goes on until it is stopped. */
function repeatedly(work: (round: number) => Promise<void>): { stop(): Promise<void> } {
  let goesOn = true;
  const run = async () => {
    for (let round = 0; goesOn; round++) await work(round);
  };
  const end = run();
  return {
    stop() {
      goesOn = false;
      return end;
    },
  };
}

test('a change that arrives in time is none', async () => {
  await inSource('metadata/new', '1');
  const running = verifying();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS / 2));
  await inDestination('metadata/new', '1');
  expect(await running).toMatchObject({ equal: true, differences: [] });
});

test('what stands for as long is a difference, and a missing and an extra record, too', async () => {
  await inSource('metadata/always', 'changed');
  await inSource('metadata/one', '1');
  await inDestination('metadata/other', '1');
  const began = Date.now();
  const { differences } = await verifying();
  expect(differences.map(({ type, path, class: found }) => `${type} ${path} ${found}`)).toEqual([
    'different metadata/always repairable',
    'missing metadata/one repairable',
    'extra metadata/other repairable',
  ]);
  expect(Date.now() - began).toBeGreaterThanOrEqual(SETTLE_MS);
});

test('what moves all the time decides nothing, and beside it what stands is found', async () => {
  await inSource('metadata/stands', '1');
  await inDestination('metadata/moves', 'never');
  const writer = repeatedly((round) => inSource('metadata/moves', String(round)));
  const report = await verifying();
  await writer.stop();
  expect(report.differences.map(({ path, class: found }) => `${path} ${found}`)).toEqual([
    'metadata/moves in-flight',
    'metadata/stands repairable',
  ]);
  expect(decide(report)).toBe('different');
  expect(decide(report, 'dangerous')).toBe('inconclusive');
  expect(decide(report, 'in-flight')).toBe('different');
});

test('the authority may be the destination', async () => {
  const authority = { clock: systemClock, authority: 'destination', forMs: SETTLE_MS } as const;
  await inDestination('metadata/new', '1');
  const running = verifying({ settle: authority });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS / 2));
  await inSource('metadata/new', '1');
  expect(await running).toMatchObject({ equal: true });
});

test.each(['source', 'destination'] as const)(
  'a server of the %s that is behind decides nothing',
  async (side) => {
    await inSource('metadata/always', 'changed');
    await inDestination('metadata/always', 'changed');
    const stale = await open(places[side]('global'), (store) => new Behind(store));
    const report = await verifying({ [side]: stale });
    expect(report).toMatchObject({ equal: true, differences: [] });
  },
);

test('sides that hold the same, but not at one moment, are not equal', async () => {
  await inSource('metadata/crossing', 'old');
  await inDestination('metadata/crossing', 'new');
  const cross = async () => {
    await inSource('metadata/crossing', 'new');
    await inDestination('metadata/crossing', 'newest');
  };
  const destination = await open(
    places.destination('global'),
    (store) => new AfterRead(store, 'metadata/crossing', cross),
  );
  const { differences } = await verifying({ destination });
  expect(differences).toMatchObject([{ path: 'metadata/crossing', class: 'repairable' }]);
});

test('a cell that comes up while the others are read is compared, too', async () => {
  const info = (server: string, side: (scope: string) => string) =>
    encode('topodata.CellInfo', { server_address: server, root: parseAddress(side('zone9')).root });
  const comeUp = async () => {
    await put(places.source('zone9'), 'metadata/x', 'one');
    await put(places.destination('zone9'), 'metadata/x', 'other');
    await put(places.source('global'), 'cells/zone9/CellInfo', info(places.server, places.source));
    const server = parseAddress(places.destination('global')).server;
    await put(places.destination('global'), 'cells/zone9/CellInfo', info(server, places.destination));
  };
  const source = await open(places.source('global'), (store, scope) =>
    scope === 'global' ? new After(store, comeUp) : store,
  );
  const { differences, scopes } = await verifying({ source, settle: undefined });
  expect(scopes.map(({ scope }) => scope)).toEqual(['global', 'zone9']);
  expect(differences).toMatchObject([{ scope: 'zone9', path: 'metadata/x' }]);
});

/** Something happens after its scan. */
class After extends DelegatingConnection {
  readonly #work: () => Promise<void>;

  constructor(store: Connection, work: () => Promise<void>) {
    super(store);
    this.#work = work;
  }

  override async *scan(prefix: string, options?: CallOptions) {
    yield* super.scan(prefix, options);
    await this.#work();
  }
}

/** Something happens right after a record was read for the first time. */
class AfterRead extends DelegatingConnection {
  readonly #path: string;
  #work: () => Promise<void>;

  constructor(store: Connection, path: string, work: () => Promise<void>) {
    super(store);
    this.#path = path;
    this.#work = work;
  }

  override async get(path: string, options?: CallOptions): Promise<Value> {
    const value = await super.get(path, options);
    const work = this.#work;
    if (path === this.#path) {
      this.#work = () => Promise.resolve();
      await work();
    }
    return value;
  }
}

/** A server that shows a state of before, in scans, and after each of them in reads until it is brought up to date. */
class Behind extends DelegatingConnection {
  #upToDate = false;

  protected override async around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    if (call.kind === 'read' && call.method === 'position') this.#upToDate = true;
    return next(options);
  }

  override async get(path: string, options?: CallOptions): Promise<Value> {
    const value = await super.get(path, options);
    return this.#upToDate || path !== 'metadata/always'
      ? value
      : { ...value, bytes: Buffer.from('of before') };
  }

  override async *scan(prefix: string, options?: CallOptions) {
    this.#upToDate = false;
    for await (const page of super.scan(prefix, options))
      yield {
        ...page,
        records: page.records.map((record) =>
          record.path === 'metadata/always' ? { ...record, bytes: Buffer.from('of before') } : record,
        ),
      };
  }
}
