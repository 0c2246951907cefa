import { readAddresses, writeAddresses } from '../../legacy/cell-addresses.js';
import { textFor } from '../../legacy/etcd-text.js';
import type { Numbering } from '../../legacy/reading.js';
import { FORM_NAME, holdOld } from '../../legacy/transcoder.js';
import { type Loss, NotHeld, type RecordForm } from '../../topo/told.js';
import { isRecordPlace, Layout, type Part } from './layout.js';

const forms = new Map<string, RecordForm>();

/** The form of a store: the same one for all that are alike. */
export function formOf({ cell, shared }: Part, numbering: Numbering = 'current'): RecordForm {
  const key = JSON.stringify([cell, shared, numbering]);
  const form = forms.get(key) ?? { name: FORM_NAME, hold: holdIn({ cell, shared }, numbering) };
  forms.set(key, form);
  return form;
}

function holdIn(part: Part, numbering: Numbering): RecordForm['hold'] {
  const layout = new Layout(undefined, '/vt', part);
  return (path, bytes) => {
    const place = layout.place(layout.record(path));
    if (!isRecordPlace(place)) throw new TypeError('what is written is a record');
    if (place.is === 'raw') {
      textFor(path, bytes);
      return { bytes, losses: [] };
    }
    if (place.is === 'addresses') {
      const { value, losses } = addressesHeld(path, bytes);
      return { bytes: readAddresses(path, value), losses };
    }
    return holdOld(place, bytes, numbering);
  };
}

/** What addresses hold of a CellInfo, and what they do not. */
function addressesHeld(
  path: string,
  bytes: Uint8Array,
): { readonly value: Uint8Array; readonly losses: readonly Loss[] } {
  try {
    return { value: writeAddresses(path, bytes, new Set()), losses: [] };
  } catch (error) {
    if (!(error instanceof NotHeld)) throw error;
    const kinds = new Set(error.losses.map(({ kind }) => kind));
    return { value: writeAddresses(path, bytes, kinds), losses: error.losses };
  }
}
