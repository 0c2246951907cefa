import { rootCertificates } from 'node:tls';
import { noop } from 'cockatiel';
import {
  Etcd3,
  type IAlarmRequest,
  type IAlarmResponse,
  type IAuthenticateRequest,
  type IAuthenticateResponse,
  type IAuthRoleGetRequest,
  type IAuthRoleGetResponse,
  type IAuthRoleGrantPermissionRequest,
  type IAuthRoleListResponse,
  type IAuthRoleRevokePermissionRequest,
  type IAuthUserGetRequest,
  type IAuthUserGetResponse,
  type IAuthUserListResponse,
  type IDeleteRangeRequest,
  type IDeleteRangeResponse,
  type ILeaseGrantRequest,
  type ILeaseGrantResponse,
  type ILeaseKeepAliveRequest,
  type ILeaseKeepAliveResponse,
  type ILeaseRevokeRequest,
  type ILeaseRevokeResponse,
  type ILeaseTimeToLiveRequest,
  type ILeaseTimeToLiveResponse,
  type IMemberListResponse,
  type IOptions,
  type IPutRequest,
  type IPutResponse,
  type IRangeRequest,
  type IRangeResponse,
  type IStatusResponse,
  type ITxnRequest,
  type ITxnResponse,
} from 'etcd3';
import type { TlsSettings } from '../../topo/backend.js';
import type { BatchAnswer } from './batch-message.js';
import type { KeyPage } from './key-page.js';
import type { RecordPage } from './record-page.js';

/** etcd's calls that are used here: what goes in, what comes out. Keys and values are Buffers, never strings. */
export interface Calls {
  range: { request: IRangeRequest; answer: IRangeResponse };
  /** A range for its keys alone; see {@link readKeyPage}. */
  keys: { request: IRangeRequest; answer: KeyPage };
  /** A range for many records; see {@link RecordPage}. */
  records: { request: IRangeRequest; answer: RecordPage };
  put: { request: IPutRequest; answer: IPutResponse };
  deleteRange: { request: IDeleteRangeRequest; answer: IDeleteRangeResponse };
  txn: { request: ITxnRequest; answer: ITxnResponse };
  /** A transaction for many records, encoded by {@link batchRequest}. */
  batch: { request: Buffer; answer: BatchAnswer };
  leaseGrant: { request: ILeaseGrantRequest; answer: ILeaseGrantResponse };
  leaseRevoke: { request: ILeaseRevokeRequest; answer: ILeaseRevokeResponse };
  leaseTimeToLive: { request: ILeaseTimeToLiveRequest; answer: ILeaseTimeToLiveResponse };
  leaseKeepAlive: { request: ILeaseKeepAliveRequest; answer: ILeaseKeepAliveResponse };
  status: { request: object; answer: IStatusResponse };
  alarm: { request: IAlarmRequest; answer: IAlarmResponse };
  memberList: { request: object; answer: IMemberListResponse };
  authenticate: { request: IAuthenticateRequest; answer: IAuthenticateResponse };
  roleList: { request: object; answer: IAuthRoleListResponse };
  roleGet: { request: IAuthRoleGetRequest; answer: IAuthRoleGetResponse };
  roleGrantPermission: { request: IAuthRoleGrantPermissionRequest; answer: object };
  roleRevokePermission: { request: IAuthRoleRevokePermissionRequest; answer: object };
  userList: { request: object; answer: IAuthUserListResponse };
  userGet: { request: IAuthUserGetRequest; answer: IAuthUserGetResponse };
}

/** The service that each call belongs to. */
export const SERVICES = {
  range: 'KV',
  keys: 'KV',
  records: 'KV',
  put: 'KV',
  deleteRange: 'KV',
  txn: 'KV',
  batch: 'KV',
  leaseGrant: 'Lease',
  leaseRevoke: 'Lease',
  leaseTimeToLive: 'Lease',
  leaseKeepAlive: 'Lease',
  status: 'Maintenance',
  alarm: 'Maintenance',
  memberList: 'Cluster',
  authenticate: 'Auth',
  roleList: 'Auth',
  roleGet: 'Auth',
  roleGrantPermission: 'Auth',
  roleRevokePermission: 'Auth',
  userList: 'Auth',
  userGet: 'Auth',
} as const satisfies Record<keyof Calls, string>;
export type Service = (typeof SERVICES)[keyof Calls] | 'Watch';

/**
 * The gRPC channels to one server.
 *
 * etcd3 brings the protocol and makes the channels. Its own way of calling is not used: it cannot cancel a call, drops
 * gRPC's status, and after any failure closes the channel under the calls that wait for it.
 */
export class Channels extends Etcd3 {
  readonly #clients = new Set<{ close(): void }>();
  readonly #services = new Map<Service, ReturnType<Channels['find']>>();

  /** @param endpoint `host:port`; `tls` undefined: without TLS */
  constructor(endpoint: string, tls: TlsSettings | undefined) {
    super(clientOptions(endpoint, tls));
  }

  /** The client of a service, with the metadata that all calls have in common: whoever adds to it takes a copy, as gRPC does. */
  client(service: Service) {
    const known = this.#services.get(service);
    if (known !== undefined) return known;
    const found = this.find(service);
    this.#services.set(service, found);
    found.catch(() => this.#services.delete(service));
    return found;
  }

  private async find(service: Service) {
    const { client, metadata } = await this.pool.withConnection(service, (found) => found);
    this.#clients.add(client);
    // A member that is cut off from the others refuses at once what it would keep waiting, watches included.
    metadata.set('hasleader', 'true');
    return { client, metadata };
  }

  override close(): void {
    // etcd3 by itself leaves a channel that is still dialling open for another second.
    for (const client of this.#clients) client.close();
    this.#clients.clear();
    this.#services.clear();
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
const READY = 2;

/** Whether there is no need to wait for a dial. */
export function isConnected(channel: Channel): boolean {
  return channel.getConnectivityState(false) === READY;
}

/**
 * Waits while the channel dials; false when it still does at the moment `until` (milliseconds since the epoch), and when it
 * was closed. A dial that failed ends the wait, too: a call then fails at once, with the reason.
 */
export async function dialled(channel: Channel, until: number, closed: AbortSignal): Promise<boolean> {
  // A closed channel that is asked for its state dials again.
  while (!closed.aborted) {
    const state = channel.getConnectivityState(true);
    if (state !== IDLE && state !== CONNECTING) return true;
    if (Date.now() >= until) return false;
    await new Promise<void>((resolve) => {
      channel.watchConnectivityState(state, until, () => resolve());
    });
  }
  return false;
}
