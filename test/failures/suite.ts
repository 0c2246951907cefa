import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Random } from '../../src/topo/clock.js';
import { SharedCluster } from '../servers/index.js';
import { isNightly, ROUNDS } from '../support/nightly.js';
import { seeded, seedOfRun } from '../support/seeds.js';
import type { Product } from './ensemble.js';
import { survives } from './rig.js';
import { SCENARIOS, type Scenario } from './scenarios.js';

const SCENARIO_LIMIT_MS = 180_000;
/** For the report and the end of members that a scenario has broken, and the start of new ones. */
const RENEWAL_LIMIT_MS = 120_000;

/**
 * Runs the scenarios, and `more` of this product alone, over three members of it that live through all of them, until one
 * fails: the next has new members. At night they come in an order by chance.
 */
export function runScenarios(product: Product, more: readonly Scenario[] = []): void {
  describe.runIf(product.available())(
    `three members of ${product.name} lose nothing and come back when`,
    () => {
      const seed = seedOfRun();
      const random = seeded(seed);
      const shared = new SharedCluster(() => product.start());
      beforeAll(() => shared.get());
      afterAll(() => shared.stop());
      const run = (scenario: Scenario, round: number): Promise<void> =>
        shared.use(SCENARIO_LIMIT_MS, async (cluster) => {
          await survives(product, cluster, scenario, { seed, round });
          await cluster.restore();
        });

      const scenarios = [...SCENARIOS, ...more].filter(
        ({ applies, nightly }) =>
          (applies?.(product) ?? true) && (isNightly || !(nightly?.(product) ?? false)),
      );
      for (let round = 1; round <= ROUNDS; round++) {
        for (const scenario of isNightly ? shuffled(scenarios, random) : scenarios) {
          const title = isNightly ? `${scenario.title} (round ${round})` : scenario.title;
          test(title, { timeout: SCENARIO_LIMIT_MS + RENEWAL_LIMIT_MS }, () => run(scenario, round));
        }
      }
    },
  );
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
