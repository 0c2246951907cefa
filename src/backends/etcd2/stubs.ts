import type {
  IDuplexStream,
  ILeaseKeepAliveRequest,
  ILeaseKeepAliveResponse,
  IRangeRequest,
  ITxnRequest,
  IWatchRequest,
  IWatchResponse,
} from 'etcd3';
import { readBatchAnswer } from './batch-message.js';
import type { Calls } from './grpc.js';
import { readKeyPage } from './key-page.js';
import { RecordPage } from './record-page.js';

/** gRPC's own way of calling, as far as it is used. */

export interface Metadata {
  set(key: string, value: string): void;
}

export interface UnaryCall {
  cancel(): void;
  getPeer(): string;
}

export type UnaryStub<M extends keyof Calls> = Record<
  M,
  (
    request: Calls[M]['request'],
    metadata: Metadata,
    options: { readonly deadline: number },
    callback: (...outcome: [error: Error] | [error: null, answer: Calls[M]['answer']]) => void,
  ) => UnaryCall
>;

export interface WatchStub {
  watch(metadata: Metadata, options: object): IDuplexStream<IWatchRequest, IWatchResponse>;
}

interface KeepAliveStub {
  leaseKeepAlive(
    metadata: Metadata,
    options: { readonly deadline: number },
  ): IDuplexStream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse> & UnaryCall;
}

// gRPC makes these methods from etcd's .proto files when the program runs: no type shows them.

export function hasUnary<M extends keyof Calls>(client: object, method: M): client is UnaryStub<M> {
  return method in client;
}

export function hasWatch(client: object): client is WatchStub {
  return 'watch' in client;
}

function hasKeepAlive(client: object): client is KeepAliveStub {
  return 'leaseKeepAlive' in client;
}

interface MethodStub<R> {
  readonly path: string;
  readonly requestSerialize: (request: R) => Buffer;
}

interface RawStub {
  readonly range: MethodStub<IRangeRequest>;
  readonly txn: MethodStub<ITxnRequest>;
  makeUnaryRequest<M extends keyof Calls>(
    path: string,
    serialize: (request: Calls[M]['request']) => Buffer,
    deserialize: (answer: Buffer) => Calls[M]['answer'],
    ...call: Parameters<UnaryStub<M>[M]>
  ): UnaryCall;
}

function isRaw(client: object): client is RawStub {
  return 'range' in client && 'txn' in client && 'makeUnaryRequest' in client;
}

/** The client of the KV service, with the methods whose messages are read and written here. */
function withOwn(client: object): object {
  if (!isRaw(client)) return client;
  const { range, txn } = client;
  const stub: UnaryStub<'keys'> & UnaryStub<'records'> & UnaryStub<'batch'> = {
    keys: (...call) =>
      client.makeUnaryRequest<'keys'>(range.path, range.requestSerialize, readKeyPage, ...call),
    records: (...call) =>
      client.makeUnaryRequest<'records'>(
        range.path,
        range.requestSerialize,
        (answer) => new RecordPage(answer),
        ...call,
      ),
    batch: (...call) =>
      client.makeUnaryRequest<'batch'>(txn.path, (request) => request, readBatchAnswer, ...call),
  };
  return stub;
}

/**
 * What calls a method as one with one answer. LeaseKeepAlive is a stream in etcd's protocol: each message gets one of its
 * own here, so that it goes to another server like any other call.
 */
export function unaryClient(client: object, method: keyof Calls): object {
  if (method === 'keys' || method === 'records' || method === 'batch') return withOwn(client);
  if (method !== 'leaseKeepAlive' || !hasKeepAlive(client)) return client;
  const stub: UnaryStub<'leaseKeepAlive'> = {
    leaseKeepAlive(request, metadata, options, callback) {
      const stream = client.leaseKeepAlive(metadata, options);
      let answer: ILeaseKeepAliveResponse | undefined;
      stream.on('data', (message) => {
        answer = message;
      });
      stream.on('error', (error) => callback(error));
      stream.on('end', () => {
        if (answer !== undefined) callback(null, answer);
        else callback(new Error('the stream ended without an answer'));
      });
      stream.write(request);
      stream.end();
      return stream;
    },
  };
  return stub;
}
