import { randomUUID } from 'node:crypto';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import { cli } from '../support/cli.js';
import { addressOn, type Product, type Server } from '../support/products.js';
import { SETTINGS, withStore } from '../support/topologies.js';

/** What `doctor --output json` says, as far as tests look at it. */
export interface Told {
  readonly mayStart: boolean;
  readonly findings: readonly ToldFinding[];
  readonly sides: readonly {
    readonly side: string;
    readonly servers: readonly {
      readonly servers: readonly Record<string, unknown>[];
      readonly voters?: object;
    }[];
    readonly stores: readonly Record<string, unknown>[];
  }[];
}

interface ToldFinding {
  readonly id: string;
  readonly severity: string;
  readonly side?: string;
  readonly scope?: string;
  readonly path?: string;
  readonly what: string;
}

/** A sample topology on a server, in a folder of its own. */
export async function plantOn(product: Product, server: Server) {
  const folder = `doctor-${randomUUID()}`;
  const address = (scope: string) => addressOn(product, server, `${folder}/${scope}`);
  for (const scope of ['global', 'zone1', 'zone2'])
    await withStore(address(scope), async (store) => {
      for (const { path, bytes } of sampleTopology('unused').filter((each) => each.scope === scope))
        await store.create(path, bytes);
    });
  const cells = ['zone1', 'zone2'].flatMap((cell) => [
    '--from-cell',
    `${cell}=${server.servers},${product.root(`${folder}/${cell}`)}`,
  ]);
  return { folder, address, cells };
}

/** Runs doctor for programs. Fails unless the exit code is `code`. */
export async function doctor(
  args: readonly string[],
  code: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Told> {
  const result = await cli(['doctor', ...args, '--output', 'json'], env);
  if (result.code !== code) throw new Error(`exit code ${result.code}: ${result.err}${result.out}`);
  return JSON.parse(result.out) as Told;
}

/** `id side: what` of the findings that are asked for. */
export function found({ findings }: Told, ...ids: readonly string[]): string[] {
  return findings
    .filter(({ id }) => ids.includes(id))
    .map(
      ({ id, side, scope, what }) =>
        `${[id, side, scope].filter((part) => part !== undefined).join(' ')}: ${what}`,
    );
}

/** Every node and key of a server below a path, directories without records included. */
export async function natives(address: string, below: string): Promise<string[]> {
  const store = await storesFor(SETTINGS, 'read').openNative(parseAddress(address), 'global');
  try {
    const paths: string[] = [];
    for await (const nodes of store.walk(below)) paths.push(...nodes.map(({ path }) => path));
    return paths.filter((path) => !path.startsWith('/zookeeper'));
  } finally {
    await store.close();
  }
}
