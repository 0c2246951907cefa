import type { Connection } from '../../src/topo/connection.js';
import { MOMENTS_MS, refuses, within } from '../conformance/tools.js';
import type { Direction } from '../servers/index.js';
import { canFillDisks, fillDisk } from './disk.js';
import type { Product } from './ensemble.js';
import type { Rig } from './rig.js';

/** Something that happens to servers or to the way to them while clients go on, and is over at the end of `run`. */
export interface Scenario {
  readonly title: string;
  readonly run: (rig: Rig) => Promise<void>;
  /** Default: it can happen to every product. */
  readonly applies?: (product: Product) => boolean;
  /**
   * Whether servers may carry out later what they were sent before it happened. Then a create that was sent again, because
   * its answer did not come, can bring back what was deleted since: nothing is deleted meanwhile. Default: no.
   */
  readonly late?: (product: Product) => boolean;
  /** Whether it is left to the nightly tests, for the time that it takes. Default: no. */
  readonly nightly?: (product: Product) => boolean;
}

const DIRECTIONS: readonly Direction[] = ['requests', 'answers'];
const RESETS = 8;
/** Longer than any election takes. */
const FOR_GOOD_MS = 12_000;

/** Without anybody who could answer, calls end by their deadlines and say so. */
export async function failsInTime(connection: Connection): Promise<void> {
  const limit = 500;
  const calls: readonly Promise<unknown>[] = [
    connection.get('counters/0', { deadline: Date.now() + limit }),
    connection.listDir('counters', { deadline: Date.now() + limit }),
    connection.create('nobody/answers', Buffer.from('x'), { deadline: Date.now() + limit }),
  ];
  await Promise.all(
    calls.map((call) => {
      const ended = within(limit + 3 * MOMENTS_MS, 'a call without servers', call);
      return refuses(connection, ['Unavailable', 'Timeout', 'OutcomeUnknown'], ended);
    }),
  );
}

/** Everything that every store must survive. */
export const SCENARIOS: readonly Scenario[] = [
  {
    title: 'the leader is killed',
    run: async ({ leader, progress }) => {
      const victim = await leader();
      await victim.kill();
      await progress('without the leader');
      await victim.restart();
    },
  },
  {
    title: 'a follower is killed',
    run: async ({ follower, progress }) => {
      const victim = await follower();
      await victim.kill();
      await progress('without the follower');
      await victim.restart();
    },
  },
  {
    title: 'the leader is frozen, and thaws',
    // A ZooKeeper leader drops what it was sent once another leads, and a request belongs to one session at one server.
    late: ({ implementation }) => implementation !== 'zk2',
    run: async ({ leader, progress }) => {
      const victim = await leader();
      victim.freeze();
      try {
        await progress('without the leader');
      } finally {
        victim.thaw();
      }
    },
  },
  {
    title: 'the disk of the leader is full',
    applies: canFillDisks,
    nightly: ({ implementation }) => implementation !== 'zk2',
    run: async ({ product, leader, progress, standstill }) => {
      const victim = await leader();
      await fillDisk(victim);
      const goesOn = progress('without the leader');
      await (product.goesOnWithFullDisk ? goesOn : Promise.race([goesOn, standstill(FOR_GOOD_MS)]));
      // It has room again only as a new process.
      await victim.restart();
    },
  },
  {
    title: 'the majority is lost, and comes back',
    run: async (rig) => {
      const victims = [await rig.leader(), await rig.follower()];
      await Promise.all(victims.map((victim) => victim.kill()));
      try {
        await rig.standstill();
        await failsInTime(rig.connection);
      } finally {
        await Promise.all(victims.map((victim) => victim.restart()));
      }
    },
  },
  {
    title: 'clients are parted from one member after another',
    applies: ({ manyEntries }) => manyEntries,
    run: async ({ way, progress }) => {
      for (const proxy of way.proxies) {
        for (const direction of DIRECTIONS) proxy.mute(direction);
        await progress('on another way');
        await proxy.mend();
      }
    },
  },
  {
    title: 'clients are parted from all members',
    run: async (rig) => {
      for (const proxy of rig.way.proxies) for (const direction of DIRECTIONS) proxy.mute(direction);
      await rig.standstill();
      await failsInTime(rig.connection);
    },
  },
  {
    title: 'connections are taken and never served',
    run: async (rig) => {
      for (const proxy of rig.way.proxies) {
        await proxy.hold();
        proxy.reset();
      }
      await rig.standstill();
      await failsInTime(rig.connection);
    },
  },
  {
    title: 'nobody listens',
    nightly: () => true,
    run: async (rig) => {
      for (const proxy of rig.way.proxies) {
        proxy.refuse();
        proxy.reset();
      }
      await rig.standstill();
      await failsInTime(rig.connection);
    },
  },
  {
    title: 'the link is slow',
    run: async ({ way, progress }) => {
      for (const proxy of way.proxies)
        for (const direction of DIRECTIONS)
          proxy.shape(direction, { latencyMs: 50, jitterMs: 20, bytesPerSecond: 200_000 });
      await progress('over a slow link');
    },
  },
  {
    title: 'connections are reset in the middle of requests and answers',
    run: async ({ way, progress, random }) => {
      for (let reset = 0; reset < RESETS; reset++) {
        const direction = DIRECTIONS[reset % 2] ?? 'answers';
        const bytes = Math.floor(random() * 1_000);
        await Promise.race(way.proxies.map((proxy) => proxy.resetAfter(direction, bytes)));
        await progress('between resets', 60);
      }
    },
  },
];
