import { isUtf8 } from 'node:buffer';
import { ErrorCode, TopologyError } from '../topo/errors.js';

/**
 * The text that etcd's v2 API keeps for a record. It answers in JSON, in which bytes that are no UTF-8 come back as something else, so such a record is
 * refused (Unsupported) before it is written. JSON always is; a record in protobuf may be or not.
 */
export function textFor(path: string, bytes: Uint8Array, store?: string): string {
  if (isUtf8(bytes)) return Buffer.from(bytes).toString('utf8');
  throw new TopologyError(
    ErrorCode.Unsupported,
    'etcd’s v2 API gives back only what is UTF-8, and this record is not',
    {
      path,
      store,
      hint: 'leave this record out',
    },
  );
}
