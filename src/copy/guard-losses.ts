import { lossCounts, showLoss, type Tolerance } from '../topo/told.js';
import type { Objection } from './objection.js';
import type { ScopePlan } from './plan.js';

/** What is refused where values are lost. */
export const LOSS = 'values have no place in the destination';
export const LOSS_HINT = 'to do without them, accept their kind';

/** Values that would be lost: those whose kind is accepted, and the others. */
export function lossObjections(
  scopes: readonly Pick<ScopePlan, 'scope' | 'transcoded'>[],
  { acceptedLosses }: Tolerance,
): Objection[] {
  const all = scopes.flatMap(({ scope, transcoded }) =>
    transcoded.losses.map((loss) => ({ scope, loss, accepted: acceptedLosses?.has(loss.kind) === true })),
  );
  return [false, true].flatMap((overruled): Objection[] => {
    const lost = all.filter(({ accepted }) => accepted === overruled);
    if (lost.length === 0) return [];
    const counts = lossCounts(lost.map(({ loss }) => loss));
    const named = [...counts].map(([kind, number]) => `${number} ${kind}`).join(', ');
    return [
      {
        guard: 'loss',
        what: `${LOSS} (${named})`,
        about: lost.map(({ scope, loss }) => `${scope}:${loss.path} ${showLoss(loss)}`),
        hint: `${LOSS_HINT}: --accept-loss ${[...counts.keys()].join(',')}; topo2topo plan with it, which writes nothing, lists each`,
        overruled,
      },
    ];
  });
}
