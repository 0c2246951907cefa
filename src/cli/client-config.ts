import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { type ClientConfig, localCellOf, readClientConfig } from '../legacy/client-config.js';
import { addressFromTriple, type StoreAddress } from '../topo/address.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { readFlagFile } from './files.js';
import { usage } from './flags.js';
import type { Env } from './io.js';

/** Where the parts of a legacy `zookeeper` topology are, as a client configuration says it. */
export interface ClientPlaces {
  readonly file: string;
  readonly config: ClientConfig;
  readonly global: StoreAddress;
  /** By name, in the order of the file. */
  readonly cells: ReadonlyMap<string, StoreAddress>;
}

/** Variables that name the file; the second one was read by some tools of the time. */
const FILE_VARIABLES = ['ZK_CLIENT_CONFIG', 'ZK_CLIENT_CONF'] as const;
/** Where it is when nothing names it. */
const USUAL_FILES = ['/etc/zookeeper/zk_client.json', '/etc/zookeeper/zk_client.conf'] as const;

/**
 * Reads a client configuration; without a name the one of this host: what ZK_CLIENT_CONFIG or ZK_CLIENT_CONF names, else the
 * usual file. Usage, naming the file and its entry, when there is none, when it is not one, and for an address that cannot be used.
 */
export function readClientPlaces(given: string | undefined, env: Env): ClientPlaces {
  const { file, by } = fileOf(given, env);
  const config = readClientConfig(file, bytesOf(file, by), localCell(env));
  const addressAt = (whose: string, servers: string, root: string) => {
    try {
      return addressFromTriple('zookeeper', servers, root);
    } catch (error) {
      if (!isTopologyError(error)) throw error;
      throw new TopologyError(
        ErrorCode.Usage,
        `${file}: the entry of ${whose} cannot be used: ${error.message}`,
        {
          hint: 'write host:port there, several separated by commas',
          cause: error,
        },
      );
    }
  };
  return {
    file,
    config,
    global: addressAt('the global store', config.global, '/zk/global/vt'),
    cells: new Map(
      [...config.cells].map(([cell, servers]) => [
        cell,
        addressAt(`cell ${checkedCell(file, cell)}`, servers, `/zk/${cell}/vt`),
      ]),
    ),
  };
}

/** The cell that `/zk/local` means here; undefined where nothing tells. */
function localCell(env: Env): string | undefined {
  return localCellOf(env['ZK_CLIENT_LOCAL_CELL'], hostname());
}

/** Whether this host has a client configuration. */
export function hasClientConfig(env: Env): boolean {
  return (
    FILE_VARIABLES.some((name) => (env[name] ?? '') !== '') || USUAL_FILES.some((file) => existsSync(file))
  );
}

/**
 * `/zk/local`, and what is below it, by the name of the cell that it stands for; any other path as it is. NoCell, Usage, where this host has no local
 * cell among those that there are.
 */
export function withLocalCell(path: string, cells: readonly string[], env: Env): string {
  const [, zk, below] = /^((?:zk:)?\/zk)\/local((?:\/.*)?)$/s.exec(path) ?? [];
  if (zk === undefined) return path;
  const cell = localCell(env);
  if (cell !== undefined && cells.includes(cell)) return `${zk}/${cell}${below}`;
  const hint = `set ZK_CLIENT_LOCAL_CELL to one of ${cells.join(', ')}`;
  if (cell === undefined) throw usage('/zk/local is no cell here: this host has no name', hint);
  throw new TopologyError(ErrorCode.NoCell, `/zk/local is the cell ${cell} here, and there is no such cell`, {
    path,
    hint,
  });
}

function fileOf(given: string | undefined, env: Env): { readonly file: string; readonly by: string } {
  if (given !== undefined) return { file: given, by: 'the address' };
  for (const by of FILE_VARIABLES) {
    const file = env[by];
    if (file !== undefined && file !== '') return { file, by };
  }
  const file = USUAL_FILES.find((each) => existsSync(each));
  if (file !== undefined) return { file, by: 'the usual place' };
  throw usage(
    `where the cells of this zookeeper topology are is not given, and there is no ${USUAL_FILES[0]}`,
    `name its client configuration: zookeeper:FILE, or ${FILE_VARIABLES[0]}=FILE in the environment`,
  );
}

function bytesOf(file: string, by: string): Buffer {
  try {
    return readFlagFile(file);
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    throw new TopologyError(error.code, `the client configuration that ${by} names: ${error.message}`, {
      hint: 'it is a file of JSON such as {"global": "host:2181", "CELL": "host:2181"}',
      cause: error,
    });
  }
}

/** A cell is a segment of the paths of its data. */
function checkedCell(file: string, cell: string): string {
  if (/^[A-Za-z0-9._-]+$/.test(cell) && !/^\.{1,2}$/.test(cell)) return cell;
  throw usage(
    `${file}: ${JSON.stringify(cell)} is no name of a cell`,
    'a name is letters, digits, . _ and -',
  );
}
