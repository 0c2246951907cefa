import { GLOBAL } from '../../topo/topology.js';
import { type Diagnosis, diagnose } from './diagnosis.js';
import type { ScopeReading } from './reading.js';

/** What a store holds: a destination's contents, tablets that belong elsewhere. */
export function contents({ side, scope, survey }: ScopeReading): Diagnosis[] {
  if (survey === undefined) return [];
  const place = { side, scope };
  const found: Diagnosis[] = [];
  if (side === 'destination' && survey.records > 0) {
    const kinds = [...survey.kinds].map(([kind, number]) => `${number} ${kind}`).join(', ');
    found.push(diagnose('destination-holds', place, `the destination holds ${kinds}`));
  }
  const others = [...survey.tabletCells].filter(([cell]) => scope !== GLOBAL && cell !== scope);
  if (others.length > 0)
    found.push(
      diagnose(
        'other-cell',
        { ...place, path: 'tablets' },
        `the cell’s store holds ${others.map(([cell, number]) => `${number} tablets of cell ${cell}`).join(', ')}`,
      ),
    );
  return found;
}
