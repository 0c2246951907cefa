import type { OldPlace } from '../../legacy/places.js';
import { makeVersion } from '../../znodes/version.js';
import type { Znode } from '../../znodes/znode.js';

/** The place of a record in JSON. */
export type RecordPlace = Extract<OldPlace, { is: 'record' }>;

/** What a znode holds, and the name of its state. */
export interface Own {
  readonly bytes: Uint8Array;
  readonly token: string;
}

export function ownOf({ data, stat }: Znode): Own {
  return { bytes: data ?? new Uint8Array(), token: makeVersion('', stat).token };
}
