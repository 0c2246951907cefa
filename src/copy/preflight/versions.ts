import type { Implementation } from '../../topo/address.js';
import { type Diagnosis, diagnose } from './diagnosis.js';
import type { ServersReading } from './reading.js';

/** The first and the last release that the tests run with. */
const TESTED: Readonly<Partial<Record<Implementation, readonly [first: string, last: string]>>> = {
  zk2: ['3.4', '3.9'],
  etcd2: ['3.3', '3.5'],
  consul: ['1.8', '1.8'],
  zookeeper: ['3.4', '3.8'],
  etcd: ['3.3', '3.4'],
};
/** The first release of ZooKeeper that reads many znodes by one request. */
const MULTI_READ = '3.6';

/** Server versions: several at once, untested ones, slow ones. */
export function versions({ side, scopes, address, health }: ServersReading): Diagnosis[] {
  const place = { side, scope: scopes.join(', ') };
  const { implementation } = address;
  const found = [
    ...new Set(health.servers.flatMap(({ version }) => (version === undefined ? [] : [version]))),
  ];
  const [first, last] = TESTED[implementation] ?? [];
  const told = found.flatMap((version) => {
    const release = releaseOf(version);
    const untested =
      first === undefined || last === undefined || isBefore(release, first) || isBefore(last, release);
    const slow =
      (implementation === 'zk2' || implementation === 'zookeeper') && isBefore(release, MULTI_READ);
    return [
      ...(untested ? [diagnose('version-untested', place, `${implementation} is ${version}`)] : []),
      ...(slow ? [diagnose('version-slow', place, `ZooKeeper is ${version}`)] : []),
    ];
  });
  if (found.length > 1) told.push(diagnose('versions-mixed', place, `the servers are ${found.join(', ')}`));
  return told;
}

/** Of `3.5.16` its release, 3.5. */
function releaseOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

function isBefore(a: string, b: string): boolean {
  const [[major = 0, minor = 0], [otherMajor = 0, otherMinor = 0]] = [a, b].map((each) =>
    each.split('.').map(Number),
  ) as [number[], number[]];
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
