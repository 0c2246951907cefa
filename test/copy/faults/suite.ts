import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { CONSUL, ETCD, type Product, ZOOKEEPER } from '../../failures/ensemble.js';
import { seeded, seedOfRun } from '../../support/seeds.js';
import { COPY_SCENES } from './copy-scenes.js';
import { FOLLOW_SCENES } from './follow-scenes.js';
import type { Fault } from './kinds-of-fault.js';
import type { Scene } from './scene.js';
import { type Running, Stage } from './stage.js';

/** How often everything happens. */
const ROUNDS = Number(process.env['TOPO2TOPO_NIGHTLY'] ?? 1);
const isNightly = process.env['TOPO2TOPO_NIGHTLY'] !== undefined;
const LIMIT_MS = 180_000;

/** Each product is once the source, and once the destination. */
const PAIRS: readonly (readonly [Product, Product])[] = [
  [ZOOKEEPER, ETCD],
  [ETCD, CONSUL],
  [CONSUL, ZOOKEEPER],
];

/** Copies and follows between real stores while a fault happens to one of them. */
export function runScenes(fault: Fault, more: readonly Scene[] = []): void {
  // What happens to one of three members takes minutes: that is for the nightly tests.
  const isNow = isNightly || fault.members === 1;
  const seed = seedOfRun();
  const running = new Map<Product, Running>();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    const products = [ZOOKEEPER, ETCD, CONSUL].filter((product) => isNow && product.available());
    await Promise.all(
      products.map(async (product) => {
        running.set(product, { product, cluster: await product.start(fault.members) });
      }),
    );
  });
  afterAll(async () => {
    await Promise.all([...running.values()].map(({ cluster }) => cluster.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  const scenes = [...COPY_SCENES, ...FOLLOW_SCENES, ...more];
  describe.each(PAIRS.map(([from, to]) => ({ from, to, name: `from ${from.name} to ${to.name}` })))(
    `$name, while ${fault.title},`,
    ({ from, to }) => {
      const isAvailable = from.available() && to.available();
      for (let round = 1; round <= ROUNDS; round++)
        for (const scene of scenes) {
          const title = ROUNDS === 1 ? scene.title : `${scene.title} (round ${round})`;
          test.runIf(isAvailable && isNow)(title, { timeout: LIMIT_MS }, async () => {
            const [a, b] = [running.get(from), running.get(to)];
            if (a === undefined || b === undefined) throw new Error('no servers');
            const stage = await Stage.set(a, b);
            try {
              await scene.play({ stage, fault, folder, random: seeded(seed + round) });
            } catch (error) {
              throw new Error(`TOPO2TOPO_SEED=${seed}, round ${round}: ${String(error)}`, { cause: error });
            } finally {
              await stage.close();
            }
          });
        }
    },
  );
}
