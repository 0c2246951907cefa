import { judgeAddress } from './addresses.js';
import { carryingOf } from './carried.js';
import type { CompareContext } from './compare.js';
import type { VerifyOptions } from './options.js';
import type { PartStores } from './settle.js';
import type { Sides } from './sides.js';

/** What comparing one part depends on. */
export function contextOf(
  scope: string,
  { source, destination }: PartStores,
  sides: Sides,
  options: VerifyOptions,
): CompareContext {
  const { kinds, keyspaces, target, serving, acceptedLosses, skipsUnreadable } = options;
  const side = options.authority ?? options.settle?.authority ?? 'source';
  const graph = sides.graphOf(side, serving);
  const [from, to] = side === 'source' ? [source, destination] : [destination, source];
  const carrying = carryingOf(from, to, graph, target);
  return {
    scope,
    kinds,
    keyspaces,
    acceptedLosses,
    skipsUnreadable,
    judgeAddress: (...judged) => judgeAddress(sides.cells, ...judged),
    forms: carrying && { carrying, side },
  };
}
