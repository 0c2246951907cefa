import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { readJsonText } from './json-text.js';

/** Where the stores of a legacy `zookeeper` topology are. */
export interface ClientConfig {
  /** Addresses of the global store, `h1:p,h2:p`. */
  readonly global: string;
  /** Addresses by cell, in the order of the file. */
  readonly cells: ReadonlyMap<string, string>;
}

/** Key of the global store, and what the key of one that a cell has of its own ends with. */
const GLOBAL = 'global';
/** What keys of caching proxies end with, which are of no use any more. */
const PROXY = ':_zkocc';

/**
 * Reads a client configuration file, such as `/etc/zookeeper/zk_client.json`: `{"global": "h1:p,h2:p", "nyc": "h3:p"}`. Where it has no entry
 * `global`, that of the local cell (`<cell>-global`) serves. `file` is its path, for messages. Usage when it is not JSON, an address is no
 * text, or there is no global store.
 */
export function readClientConfig(
  file: string,
  bytes: Uint8Array,
  localCell: string | undefined,
): ClientConfig {
  const entries = entriesOf(file, bytes);
  const own = localCell === undefined ? undefined : entries.get(`${localCell}-${GLOBAL}`);
  const global = entries.get(GLOBAL) ?? own;
  if (global === undefined) {
    const keys = localCell === undefined ? GLOBAL : `${GLOBAL} nor ${localCell}-${GLOBAL}`;
    const hint = `add an entry ${GLOBAL} with the addresses of the global store, or name the local cell (ZK_CLIENT_LOCAL_CELL)`;
    throw new TopologyError(ErrorCode.Usage, `${file} has no entry ${keys}`, { hint });
  }
  const cells = [...entries].filter(
    ([name]) => name !== GLOBAL && !name.endsWith(`-${GLOBAL}`) && !name.endsWith(PROXY),
  );
  return { global, cells: new Map(cells) };
}

/**
 * The cell that `/zk/local` means: what `ZK_CLIENT_LOCAL_CELL` says, else the host's name up to its first `-`, else its first two letters;
 * undefined for a host without name.
 */
export function localCellOf(setting: string | undefined, host: string): string | undefined {
  if (setting !== undefined && setting !== '') return setting;
  const [first = ''] = host.split('-');
  const cell = first === host ? host.slice(0, 2) : first;
  return cell === '' ? undefined : cell;
}

/** Addresses of a cell. NoCell, with the cells that there are, when the file does not name it. */
export function addressOf(file: string, { cells }: ClientConfig, cell: string): string {
  const address = cells.get(cell);
  if (address !== undefined) return address;
  const known = [...cells.keys()].join(', ');
  throw new TopologyError(ErrorCode.NoCell, `${file} has no cell ${cell}`, {
    hint: known === '' ? 'it names no cells at all: add them' : `it has these: ${known}`,
  });
}

function entriesOf(file: string, bytes: Uint8Array): Map<string, string> {
  try {
    return new Map(
      Object.entries(readJsonText(bytes)).map(([name, value]) => {
        if (typeof value === 'string' && value !== '') return [name, value];
        throw new TopologyError(ErrorCode.Usage, `the entry ${name} is no text of addresses`);
      }),
    );
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    throw new TopologyError(
      ErrorCode.Usage,
      `${file} is no client configuration of ZooKeeper: ${error.message}`,
      {
        hint: 'it is to be an object of JSON, such as {"global": "host:2181", "CELL": "host:2181"}',
        cause: error,
      },
    );
  }
}
