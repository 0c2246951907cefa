import type { StoreAddress } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import { HeldLocks } from '../../topo/held-locks.js';
import type { RecordForm } from '../../topo/told.js';
import { EtcdClient } from './client.js';
import { formOf } from './form.js';
import { Numberings } from './numbering.js';
import { Transcoder } from './transcode.js';

/** One root, its servers, and the form in which it has records. */
export class EtcdStore extends EtcdClient {
  readonly locks: HeldLocks;
  readonly transcoder: Transcoder;
  readonly form: RecordForm;

  constructor(address: StoreAddress, settings: ConnectSettings) {
    super(address, settings);
    this.locks = new HeldLocks(this.context);
    this.beforeClose(() => this.locks.end());
    const numberings = new Numberings(this, settings.typeNumbers);
    this.transcoder = new Transcoder(this.context.store, numberings, settings.acceptedLosses);
    this.form = formOf(this.layout.cell, settings.typeNumbers);
  }
}
