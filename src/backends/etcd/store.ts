import { Numberings } from '../../legacy/numberings.js';
import { Transcoder } from '../../legacy/transcoder.js';
import type { StoreAddress } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import { HeldLocks } from '../../topo/held-locks.js';
import type { LossKind, RecordForm } from '../../topo/told.js';
import { EtcdClient } from './client.js';
import { formOf } from './form.js';
import { findSigns } from './signs.js';

/** One root, its servers, and the form in which it has records. */
export class EtcdStore extends EtcdClient {
  readonly locks: HeldLocks;
  readonly transcoder: Transcoder;
  /** Kinds of losses that are left out when a record is written. */
  readonly accepted: ReadonlySet<LossKind>;
  readonly #typeNumbers: ConnectSettings['typeNumbers'];

  constructor(address: StoreAddress, settings: ConnectSettings) {
    super(address, settings);
    const { store, clock } = this.context;
    this.locks = new HeldLocks(this.context);
    this.beforeClose(() => this.locks.end());
    this.accepted = settings.acceptedLosses ?? new Set();
    const numberings = new Numberings({
      store,
      clock,
      given: settings.typeNumbers,
      find: (about, options) => findSigns(this, about, options),
    });
    this.transcoder = new Transcoder(store, numberings, this.accepted);
    this.#typeNumbers = settings.typeNumbers;
  }

  get form(): RecordForm {
    return formOf(this.layout, this.#typeNumbers);
  }
}
