import { encode, readFields } from '../topo/codec.js';
import { ownUnknownFields } from '../topo/codec-wire.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { checkHeld, type Loss, type LossKind } from '../topo/told.js';

const MESSAGE = 'topodata.CellInfo';
/** The root of every cell of a legacy `etcd` store. */
const ROOT = '/vt';

/** The CellInfo of a cell whose addresses a legacy `etcd` store keeps as text, separated by commas. Corrupt when it is no text. */
export function readAddresses(path: string, value: Uint8Array): Uint8Array {
  const text = Buffer.from(value).toString('utf8').trim();
  if (text !== '' && !/[\s\p{C}\u{fffd}]/u.test(text))
    return encode(MESSAGE, { server_address: text, root: ROOT });
  throw new TopologyError(
    ErrorCode.Corrupt,
    'not the addresses of a cell: http://HOST:PORT, separated by commas, is wanted',
    {
      path,
      hint: 'write the addresses of this cell’s servers there',
    },
  );
}

/** The text that a legacy `etcd` store keeps for a cell. NotHeld for a root other than /vt and for everything else beside the addresses. */
export function writeAddresses(
  path: string,
  bytes: Uint8Array,
  accepted: ReadonlySet<LossKind>,
  store?: string,
): Uint8Array {
  const message = readFields(MESSAGE, bytes);
  const { server_address: addresses, root, region } = message;
  const losses: Loss[] = [];
  const lose = (field: string, value: string) => losses.push({ kind: 'newer-field', path, field, value });
  if (root !== undefined && root !== '' && root !== ROOT) lose('root', String(root));
  if (region !== undefined && region !== '') lose('region', String(region));
  for (const { path: field, bytes: raw } of ownUnknownFields(message))
    lose(field, Buffer.from(raw).toString('base64'));
  checkHeld(losses, accepted, path, store);
  return Buffer.from(String(addresses ?? ''));
}
