import type { Random } from '../../../src/topo/clock.js';
import type { Connection } from '../../../src/topo/connection.js';
import { find } from '../../../src/topo/find.js';
import { eventually } from '../../conformance/tools.js';
import { RECOVERY_MS } from '../../failures/ensemble.js';
import { type Fault, Striking } from './kinds-of-fault.js';
import type { Stage } from './stage.js';

/** What a scene is played with. */
export interface Props {
  readonly stage: Stage;
  readonly fault: Fault;
  /** For journals. */
  readonly folder: string;
  readonly random: Random;
}

/** Something that must come out well whatever happens meanwhile. */
export interface Scene {
  readonly title: string;
  readonly play: (props: Props) => Promise<void>;
}

/** What the destination is wrapped in. */
export function disturbing({ fault, random }: Props): (store: Connection) => Connection {
  return (store) => fault.disturb?.(store, random) ?? store;
}

const HANG_MS = 1_000;

/** A fault that happens to one side in the course of things, once. */
export function striking({ stage, fault }: Props, side: 'source' | 'destination') {
  const striking = new Striking(fault, stage[side]);
  return {
    atWrite: async (scope: string, paths: readonly string[]) => {
      const store = await stage.open('destination', scope);
      const states = async () =>
        Promise.all(paths.map(async (path) => (await find(store, path, {}))?.version.token));
      const before = await states();
      await striking.strike(async () => (await states()).some((state, i) => state !== before[i]));
    },
    atRead: async () => {
      const until = Date.now() + HANG_MS;
      await striking.strike(async () => Date.now() >= until);
    },
    happened: () => striking.happened,
    /** Until it happened, and is over. */
    begunAndOver: async () => {
      await eventually('the fault', async () => striking.happened, RECOVERY_MS);
      await striking.over();
    },
    over: () => striking.over(),
  };
}
