import { type CallContext, outcomeUnknown } from '../../topo/calls.js';
import { isErrno } from '../../topo/errno.js';
import { ErrorCode, type ErrorDetails, TopologyError } from '../../topo/errors.js';
import { Overtaken, Unsettled } from './disk.js';
import { Damage, UnknownFormat } from './format.js';
import { NoFile } from './load.js';
import { Locked } from './write-lock.js';

type Where = Pick<CallContext, 'store'>;

/** The TopologyError of whatever reading or writing a file threw. */
export function toTopologyError(context: Where, error: unknown, path?: string): TopologyError {
  if (error instanceof TopologyError) return error;
  if (error instanceof Unsettled) return outcomeUnknown(context, path, error.cause);
  const { code, message, hint, retryable } = describe(error);
  return new TopologyError(code, message, { path, store: context.store, hint, retryable, cause: error });
}

/** NoNode for a record. */
export function noRecord(store: string, path: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'there is no such record', { path, store });
}

/** NoNode for a directory. */
export function noDirectory(store: string, path: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'there is no such directory', { path, store });
}

/** NodeExists for a record. */
export function recordExists(store: string, path: string): TopologyError {
  return new TopologyError(ErrorCode.NodeExists, 'the record exists already', { path, store });
}

/** BadVersion for a record. */
export function changed(store: string, path: string): TopologyError {
  const message = 'the record is not in the state that the version names';
  return new TopologyError(ErrorCode.BadVersion, message, { path, store });
}

/** What a watch ends with when the file cannot be read: WatchLost for what no watch may throw. */
export function watchEnded(context: Where, error: unknown, path: string): TopologyError {
  const cause = toTopologyError(context, error, path);
  if (WATCH_ENDS.has(cause.code)) return cause;
  return new TopologyError(ErrorCode.WatchLost, `the file cannot be followed any more: ${cause.message}`, {
    path,
    store: context.store,
    hint: cause.hint,
    cause,
  });
}

const WATCH_ENDS: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.Interrupted,
  ErrorCode.Timeout,
  ErrorCode.Unauthorized,
]);

function describe(error: unknown): Pick<ErrorDetails, 'hint' | 'retryable'> & {
  readonly code: ErrorCode;
  readonly message: string;
} {
  if (error instanceof Damage) {
    return {
      code: ErrorCode.Corrupt,
      message: `the topology file is damaged or none: ${error.message}`,
      hint: 'nothing was taken from it; use another copy of the file, or another name',
    };
  }
  if (error instanceof UnknownFormat) {
    return {
      code: ErrorCode.Unsupported,
      message: error.message,
      hint: 'read it with the version of topo2topo that wrote it, or a newer one',
    };
  }
  if (error instanceof NoFile)
    return { code: ErrorCode.InvalidAddress, message: 'the name belongs to something else than a file' };
  if (error instanceof Locked) {
    return {
      code: ErrorCode.Unavailable,
      message: error.message,
      hint: 'wait until that process has finished; if it no longer exists, remove the lock file',
    };
  }
  if (error instanceof Overtaken) {
    return {
      code: ErrorCode.Unavailable,
      message: 'another program wrote to the file at the same moment: nothing was written over it',
    };
  }
  return describeErrno(error);
}

function describeErrno(error: unknown): ReturnType<typeof describe> {
  if (isErrno(error, 'EACCES', 'EPERM', 'EROFS')) {
    return {
      code: ErrorCode.Unauthorized,
      message: 'the system does not allow this with the file or its folder',
      hint: 'writing needs permission to make files in the folder, too',
    };
  }
  if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
    return {
      code: ErrorCode.Unavailable,
      message: 'the folder of the file does not exist',
      hint: 'make the folder, or correct the name',
      retryable: false,
    };
  }
  if (isErrno(error, 'EISDIR', 'ELOOP', 'ENAMETOOLONG'))
    return { code: ErrorCode.InvalidAddress, message: 'the name belongs to no file, and cannot' };
  if (isErrno(error, 'ENOSPC', 'EDQUOT', 'EFBIG')) {
    return {
      code: ErrorCode.Unavailable,
      message: 'there is no room for the file on the disk',
      hint: 'a file is written beside the old one first: room for both is needed',
      retryable: false,
    };
  }
  const name = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return { code: ErrorCode.Unavailable, message: `the file cannot be read or written${name}` };
}
