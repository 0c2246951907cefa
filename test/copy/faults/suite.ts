import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { must } from '../../conformance/tools.js';
import { CONSUL, ETCD, type Product, ZOOKEEPER } from '../../failures/ensemble.js';
import { SharedCluster } from '../../servers/index.js';
import { isNightly, ROUNDS } from '../../support/nightly.js';
import { seeded, seedOfRun } from '../../support/seeds.js';
import { COPY_SCENES } from './copy-scenes.js';
import { FOLLOW_SCENES } from './follow-scenes.js';
import { type Fault, LOST_ANSWERS, RESTART, UNKNOWN_OUTCOMES } from './kinds-of-fault.js';
import type { Props, Scene } from './scene.js';
import { type Running, Stage } from './stage.js';

const LIMIT_MS = 180_000;
/** For the report and the end of servers that a scene has broken, and the start of new ones. */
const RENEWAL_LIMIT_MS = 120_000;

/** Each product is once the source, and once the destination. */
const PAIRS: readonly (readonly [Product, Product])[] = [
  [ZOOKEEPER, ETCD],
  [ETCD, CONSUL],
  [CONSUL, ZOOKEEPER],
];

/** The faults that do not wait for the night: what happens to one of three members takes minutes. */
const BY_DAY: readonly Fault[] = [RESTART, LOST_ANSWERS, UNKNOWN_OUTCOMES];

/**
 * Whether a scene is played now. By day each is played once under each fault, between other products each time: every scene
 * and every fault meets every pair. At night all of it.
 */
function isPlayed(scene: number, pair: number, fault: Fault): boolean {
  const day = BY_DAY.indexOf(fault);
  return isNightly || (day >= 0 && (scene + day) % PAIRS.length === pair);
}

/** Copies and follows between real stores while a fault happens to one of them. */
export function runScenes(fault: Fault, more: readonly Scene[] = []): void {
  const isNow = isNightly || BY_DAY.includes(fault);
  const seed = seedOfRun();
  const products = [ZOOKEEPER, ETCD, CONSUL].filter((product) => isNow && product.available());
  const shared = new Map(
    products.map((product) => [product, new SharedCluster(() => product.start(fault.members))]),
  );
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    await Promise.all([...shared.values()].map((each) => each.get()));
  });
  afterAll(async () => {
    await Promise.all([...shared.values()].map((each) => each.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  const scenes = [...COPY_SCENES, ...FOLLOW_SCENES, ...more];
  describe.each(
    PAIRS.map(([from, to], pair) => ({ from, to, pair, name: `from ${from.name} to ${to.name}` })),
  )(`$name, while ${fault.title},`, ({ from, to, pair }) => {
    const isAvailable = from.available() && to.available();
    for (let round = 1; round <= ROUNDS; round++)
      for (const [number, scene] of scenes.entries()) {
        const title = ROUNDS === 1 ? scene.title : `${scene.title} (round ${round})`;
        test.runIf(isAvailable && isPlayed(number, pair, fault))(
          title,
          { timeout: LIMIT_MS + RENEWAL_LIMIT_MS },
          async () => {
            const [a, b] = [must(shared.get(from)), must(shared.get(to))];
            await a.use(LIMIT_MS, (source) =>
              b.use(LIMIT_MS, async (destination) => {
                const sides = [
                  { product: from, cluster: source },
                  { product: to, cluster: destination },
                ] as const;
                await play(scene, sides, { fault, folder, seed, round });
                for (const { cluster } of sides) await cluster.restore();
              }),
            );
          },
        );
      }
  });
}

async function play(
  scene: Scene,
  [from, to]: readonly [Running, Running],
  props: Pick<Props, 'fault' | 'folder'> & { readonly seed: number; readonly round: number },
): Promise<void> {
  const { seed, round } = props;
  const stage = await Stage.set(from, to);
  try {
    await scene.play({ ...props, stage, random: seeded(seed + round) });
  } catch (error) {
    throw new Error(`TOPO2TOPO_SEED=${seed}, round ${round}: ${String(error)}`, { cause: error });
  } finally {
    await stage.close();
  }
}
