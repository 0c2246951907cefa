import { rootCertificates } from 'node:tls';
import { noop } from 'cockatiel';
import {
  Etcd3,
  type IAuthenticateRequest,
  type IAuthenticateResponse,
  type IDeleteRangeRequest,
  type IDeleteRangeResponse,
  type IDuplexStream,
  type IOptions,
  type IPutRequest,
  type IPutResponse,
  type IRangeRequest,
  type IRangeResponse,
  type ITxnRequest,
  type ITxnResponse,
  type IWatchRequest,
  type IWatchResponse,
} from 'etcd3';
import type { TlsSettings } from '../../topo/backend.js';

/** etcd's calls that are used here: service, what goes in, what comes out. Keys and values are Buffers, never strings. */
export interface Calls {
  range: { service: 'KV'; request: IRangeRequest; answer: IRangeResponse };
  put: { service: 'KV'; request: IPutRequest; answer: IPutResponse };
  deleteRange: { service: 'KV'; request: IDeleteRangeRequest; answer: IDeleteRangeResponse };
  txn: { service: 'KV'; request: ITxnRequest; answer: ITxnResponse };
  authenticate: { service: 'Auth'; request: IAuthenticateRequest; answer: IAuthenticateResponse };
}

/**
 * The gRPC channels to one server.
 *
 * etcd3 brings the protocol and makes the channels. Its own way of calling is not used: it cannot cancel a call, drops
 * gRPC's status, and after any failure closes the channel under the calls that wait for it.
 */
export class Channels extends Etcd3 {
  readonly #clients = new Set<{ close(): void }>();

  /** @param endpoint `host:port`; `tls` undefined: without TLS */
  constructor(endpoint: string, tls: TlsSettings | undefined) {
    super(clientOptions(endpoint, tls));
  }

  /** The client of a service, with metadata for one call. */
  async client(service: 'KV' | 'Auth' | 'Watch') {
    const { client, metadata } = await this.pool.withConnection(service, (found) => found);
    this.#clients.add(client);
    return { client, metadata };
  }

  override close(): void {
    // etcd3 by itself leaves a channel that is still dialling open for another second.
    for (const client of this.#clients) client.close();
    this.#clients.clear();
    super.close();
  }
}

const KEEPALIVE_MS = 10_000;
const KEEPALIVE_ANSWER_MS = 5_000;
const FLOW_WINDOW_BYTES = 4 * 1024 * 1024;

function clientOptions(endpoint: string, tls: TlsSettings | undefined): IOptions {
  return {
    hosts: endpoint,
    ...(tls === undefined ? {} : { credentials: credentials(tls) }),
    grpcOptions: {
      // gRPC's own limit of 4 MiB is below what a page of large records takes.
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc-node.flow_control_window': FLOW_WINDOW_BYTES,
      // Nothing but this backend may send a request again.
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_channelz': 0,
      // A connection's sockets are its own: closing it closes them.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      // etcd allows a ping every 5 s. Without pings a frozen server is never noticed.
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_ANSWER_MS,
      ...(tls?.serverName === undefined
        ? {}
        : { 'grpc.ssl_target_name_override': tls.serverName, 'grpc.default_authority': tls.serverName }),
    },
    // etcd3's defaults turn one large reply or one dead member into five seconds in which every call fails.
    faultHandling: { host: () => noop, global: noop },
  };
}

function credentials({ ca, cert, key }: TlsSettings): NonNullable<IOptions['credentials']> {
  return {
    rootCertificate: ca ?? Buffer.from(rootCertificates.join('\n')),
    ...(cert === undefined ? {} : { certChain: cert }),
    ...(key === undefined ? {} : { privateKey: key }),
  };
}

/** As much of gRPC's channel as is used. */
export interface Channel {
  getTarget(): string;
  getConnectivityState(tryToConnect: boolean): number;
  watchConnectivityState(state: number, until: number, callback: (error?: Error) => void): void;
}

/** gRPC's states of a channel that has come neither to a connection nor to a failure yet. */
const IDLE = 0;
const CONNECTING = 1;

/**
 * Waits while the channel dials; false when it still does at the moment `until` (milliseconds since the epoch). A dial
 * that failed ends the wait, too: a call then fails at once, with the reason.
 */
export async function dialled(channel: Channel, until: number): Promise<boolean> {
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state !== IDLE && state !== CONNECTING) return true;
    if (Date.now() >= until) return false;
    await new Promise<void>((resolve) => {
      channel.watchConnectivityState(state, until, () => resolve());
    });
  }
}

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
    callback: (error: Error | null, answer: Calls[M]['answer']) => void,
  ) => UnaryCall
>;

export interface WatchStub {
  watch(metadata: Metadata, options: object): IDuplexStream<IWatchRequest, IWatchResponse>;
}

// gRPC makes these methods from etcd's .proto files when the program runs: no type shows them.

export function hasUnary<M extends keyof Calls>(client: object, method: M): client is UnaryStub<M> {
  return method in client;
}

export function hasWatch(client: object): client is WatchStub {
  return 'watch' in client;
}
