import { type Random, systemClock } from '../../../src/topo/clock.js';
import type { Connection } from '../../../src/topo/connection.js';
import { withFaults } from '../../../src/topo/wrappers/fault.js';
import { eventually } from '../../conformance/tools.js';
import { findMember, RECOVERY_MS } from '../../failures/ensemble.js';
import type { Cluster, Member } from '../../servers/index.js';
import type { Target } from './stage.js';

/** Something that happens to the servers of one side while records go from one to the other. */
export interface Fault {
  /** What happens, after `while`. */
  readonly title: string;
  readonly members: 1 | 3;
  /** What the destination is wrapped in from the beginning. Default: nothing. */
  readonly disturb?: Disturb;
  /**
   * Makes it happen. What it answers with ends it once it has had its effect; `landed`: whether what was sent when it happened
   * arrived.
   */
  readonly strike: (target: Target) => Promise<(landed: () => Promise<boolean>) => Promise<void>>;
}

/** Changes what a store does all the time. */
type Disturb = (store: Connection, random: Random) => Connection;

/** How long what was sent gets to arrive. */
const LANDING_MS = 4_000;

export const RESTART: Fault = {
  title: 'the server is killed and started again',
  members: 1,
  strike: async ({ cluster }) => {
    await cluster.kill();
    return () => cluster.restart();
  },
};

export const LEADER_CHANGE: Fault = {
  title: 'the leader is killed and another one leads',
  members: 3,
  strike: async (target) => {
    const victim = await leaderOf(target);
    await victim.kill();
    return async () => {
      await anotherLeads(target, victim);
      await victim.restart();
    };
  },
};

export const FREEZE: Fault = {
  title: 'the leader is frozen and thaws when another one leads',
  members: 3,
  strike: async (target) => {
    const victim = await leaderOf(target);
    victim.freeze();
    return async () => {
      try {
        await anotherLeads(target, victim);
      } finally {
        victim.thaw();
      }
    };
  },
};

export const LOST_ANSWERS: Fault = {
  title: 'answers are lost',
  members: 1,
  strike: async ({ way }) => {
    way.loseAnswers();
    return async (landed) => {
      // A write that begins with a question gets no further: then it is the question that nobody answers.
      const until = Date.now() + LANDING_MS;
      try {
        await eventually('what was sent', async () => (await landed()) || Date.now() >= until, RECOVERY_MS);
      } finally {
        await way.mend();
      }
    };
  },
};

const WRITES: readonly string[] = ['create', 'update', 'delete', 'write'];
const UNANSWERED = [{ kind: 'drop answer' }, { kind: 'drop request', unnoticed: true }] as const;

/** Beyond what sends a request again: the copy itself is not told what became of its writes. */
export const UNKNOWN_OUTCOMES: Fault = {
  title: 'it is not told of what became of every third write',
  members: 1,
  strike: async () => async () => {},
  disturb: (store, random) =>
    withFaults(store, {
      clock: systemClock,
      choose: ({ method }) =>
        WRITES.includes(method) && random() < 1 / 3 ? UNANSWERED[random() < 0.7 ? 0 : 1] : undefined,
    }),
};

function leaderOf({ cluster, product }: { readonly cluster: Cluster; readonly product: Target['product'] }) {
  return findMember(cluster, 'a leader', product.isLeader);
}

async function anotherLeads({ cluster, product }: Target, victim: Member): Promise<void> {
  await findMember(
    cluster,
    'another leader',
    async (member) => member !== victim && (await product.isLeader(member)),
  );
}

/** One fault as it happens to one side, once. */
export class Striking {
  readonly #fault: Fault;
  readonly #target: Target;
  #ending: Promise<void> | undefined;

  constructor(fault: Fault, target: Target) {
    this.#fault = fault;
    this.#target = target;
  }

  /** Makes it happen; from then on it comes to its end by itself. */
  async strike(landed: () => Promise<boolean>): Promise<void> {
    const end = await this.#fault.strike(this.#target);
    this.#ending = end(landed);
    this.#ending.catch(() => {});
  }

  get happened(): boolean {
    return this.#ending !== undefined;
  }

  /** Until it is over. Fails if it did not happen at all. */
  async over(): Promise<void> {
    if (this.#ending === undefined) throw new Error('nothing happened');
    await this.#ending;
  }
}
