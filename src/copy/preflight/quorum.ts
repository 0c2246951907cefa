import { type Diagnosis, diagnose } from './diagnosis.js';
import type { ServersReading } from './reading.js';

/** Whether the members of a store are well, and what could not be found out of them. */
export function quorum({ side, scopes, address, health }: ServersReading): Diagnosis[] {
  const place = { side, scope: scopes.join(', ') };
  const { servers, voters, hasLeader, unknown } = health;
  const found: Diagnosis[] = servers
    .filter(({ up }) => !up)
    .map(({ server, problem }) =>
      diagnose('server-down', place, `${server} does not serve: ${problem ?? ''}`),
    );
  if (hasLeader === false)
    found.push(diagnose('no-leader', place, `the members of ${address.implementation} have no leader`));
  if (voters?.total === 1) found.push(diagnose('single-server', place, 'the store has one member'));
  else if (voters?.up !== undefined && spare(voters.total, voters.up) <= 0)
    found.push(
      diagnose(
        'no-spare',
        place,
        `${voters.up} of ${voters.total} voting members are up: none more may fail`,
      ),
    );
  // Consul's address names agents, which need not be its servers.
  if (voters !== undefined && address.implementation !== 'consul' && servers.length < voters.total)
    found.push(
      diagnose(
        'few-servers-named',
        place,
        `the address names ${servers.length} of ${voters.total} voting members`,
      ),
    );
  found.push(...unknown.map((what) => diagnose('not-told', place, what)));
  return found;
}

/** How many members more may fail. */
function spare(total: number, up: number): number {
  return up - (Math.floor(total / 2) + 1);
}
