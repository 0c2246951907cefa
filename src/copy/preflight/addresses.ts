import { isIP } from 'node:net';
import { serversOf } from '../../topo/address.js';
import { type Diagnosis, diagnose } from './diagnosis.js';
import type { SideReading } from './reading.js';

/** Addresses of cells that mean something else from host to host. */
export function addresses({ side, cells }: SideReading): Diagnosis[] {
  return cells.flatMap(({ name, address, source }) => {
    if (source === 'store' || address.implementation === 'memory') return [];
    const { servers, observers } = serversOf(address);
    const hosts = [...servers, ...observers].map(hostOf);
    const todo = side === 'destination' ? TO_WRITE : {};
    const place = { side, scope: name, path: `cells/${name}/CellInfo` };
    const local = hosts.filter(isThisHost);
    const short = hosts.filter((host) => !isThisHost(host) && isIP(host) === 0 && !host.includes('.'));
    return [
      ...(local.length === 0
        ? []
        : [
            diagnose(
              'address-this-host',
              place,
              `the cell’s address ${address.server} means this host`,
              todo,
            ),
          ]),
      ...(short.length === 0
        ? []
        : [
            diagnose(
              'address-short-name',
              place,
              `the cell’s address names ${[...new Set(short)].join(', ')}`,
            ),
          ]),
    ];
  });
}

/** For an address that the copy is about to write. */
const TO_WRITE = {
  todo: 'name the destination’s servers as every host knows them, or give the cell’s address with --to-cell CELL=SERVER,ROOT; it is right only where each host of the cell has that server',
};

function hostOf(server: string): string {
  return server
    .replace(/^https?:\/\//, '')
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
}

function isThisHost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\./.test(host);
}
