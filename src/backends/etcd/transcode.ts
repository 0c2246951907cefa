import { readAddresses, writeAddresses } from '../../legacy/cell-addresses.js';
import { textFor } from '../../legacy/etcd-text.js';
import type { OldValue } from '../../legacy/transcoder.js';
import type { CallOptions } from '../../topo/connection.js';
import { isTopologyError } from '../../topo/errors.js';
import type { JsonPlace, RecordPlace } from './layout.js';
import type { EtcdStore } from './store.js';

/** A file as a record. What is no such record comes as its raw bytes, and as unreadable. */
export async function readText(
  { transcoder }: EtcdStore,
  place: RecordPlace | JsonPlace,
  value: string,
  options: CallOptions | undefined,
): Promise<OldValue> {
  const raw = Buffer.from(value);
  if (place.is === 'raw') return { bytes: raw, told: undefined };
  return transcoder.attempt(raw, async () => {
    if (place.is !== 'addresses') return transcoder.readOld(place, raw, options, { hadBareKeyspaces: false });
    return { bytes: readAddresses(place.path, raw), losses: [], derived: [], notes: [] };
  });
}

/** The text that stands for a record. Unsupported (NotHeld, too), Corrupt, Guard when it cannot be written. */
export async function writeText(
  { transcoder, accepted, context: { store } }: EtcdStore,
  place: RecordPlace | JsonPlace,
  bytes: Uint8Array,
  options: CallOptions | undefined,
): Promise<string> {
  if (place.is === 'raw') return textFor(place.path, bytes, store);
  if (place.is !== 'addresses') return Buffer.from(await transcoder.write(place, bytes, options)).toString();
  try {
    return Buffer.from(writeAddresses(place.path, bytes, accepted, store)).toString();
  } catch (error) {
    if (!isTopologyError(error) || error.store !== undefined) throw error;
    throw error.inStore(store);
  }
}
