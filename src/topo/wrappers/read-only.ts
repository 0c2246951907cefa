import type { CallOptions, Capabilities, Connection } from '../connection.js';
import { ErrorCode, TopologyError } from '../errors.js';
import { type Call, DelegatingConnection } from './base.js';

/** {@link withReadOnly} that takes locks all the same. */
export function withLocksOnly(inner: Connection): Connection {
  return new LocksOnlyConnection(inner);
}

/** A connection that reads as `inner` does and refuses every write with ReadOnly, before anything is sent. */
export function withReadOnly(inner: Connection): Connection {
  return new ReadOnlyConnection(inner);
}

class ReadOnlyConnection extends DelegatingConnection {
  override get capabilities(): Capabilities {
    return { ...this.inner.capabilities, readOnly: true };
  }

  protected override async around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    if (call.kind === 'read') return next(options);
    throw new TopologyError(ErrorCode.ReadOnly, 'the connection is read-only', {
      path: call.path,
      store: this.store,
    });
  }
}

class LocksOnlyConnection extends ReadOnlyConnection {
  protected override async around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    return call.kind === 'lock' ? next(options) : super.around(call, options, next);
  }
}
