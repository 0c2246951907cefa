import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What one web port does. */
export type Stand = { readonly port: number } & (
  | {
      readonly does: 'tell';
      /** One `/debug/vars` for each request; the last one stays. */
      readonly vars: readonly object[];
      /** `/debug/status`; absent: there is none. */
      readonly status?: string;
      /** PEM files; absent: without TLS. */
      readonly tls?: { readonly cert: string; readonly key: string };
    }
  | { readonly does: 'redirect'; readonly to: string }
  | { readonly does: 'hang' | 'drip' | 'forbid' | 'garbage' | 'huge' | 'noise' }
);

/** A process that plays others. It ends with the test's own process, or when it is told to. */
export class StandIns {
  readonly #child = fork(join(import.meta.dirname, 'stand-in.mjs'), { execArgv: [], stdio: 'inherit' });

  /** Has these ports answer, and no others. */
  async serve(stands: readonly Stand[]): Promise<void> {
    const ready = once(this.#child, 'message');
    this.#child.send(stands);
    await ready;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

/** Vitess's triple, as a process was given it. */
export interface Triple {
  readonly implementation: string;
  readonly server: string;
  readonly root: string;
}

/** The flags of a triple, as Vitess 22 and older spell them. */
export function topoFlags({ implementation, server, root }: Triple): string[] {
  return [
    `--topo_implementation=${implementation}`,
    '--topo_global_server_address',
    server,
    `--topo_global_root=${root}`,
  ];
}

/**
 * A `/debug/vars` as a vttablet serves it: what expvar publishes, and of the `stats` package what Vitess's tm_init.go, tabletserver.go
 * and buildinfo.go publish.
 */
export function tabletVars(alias: string, type: string, store: Triple, more: object = {}): object {
  return {
    BuildGitRev: '57f6dd5',
    BuildHost: 'build1',
    BuildTimestamp: 1_700_000_000,
    BuildVersion: '21.0.5',
    TabletAlias: alias,
    TabletKeyspace: 'ks',
    TabletShard: '0',
    TabletState: 2,
    TabletStateName: 'SERVING',
    TabletType: type,
    TabletTypeCount: { [type]: 1 },
    TopologyConnErrors: { 'Get.global': 3 },
    cmdline: [
      ...['/vt/bin/vttablet', ...topoFlags(store), `--tablet-path=${alias}`],
      ...['--init_keyspace', 'ks', '--db_app_password=s3cret'],
    ],
    memstats: { Alloc: 1 },
    ...more,
  };
}

/** A `/debug/vars` as a vtgate serves it: healthcheck.go and topology_watcher.go. */
export function gateVars(store: Triple, more: object = {}, flags: readonly string[] = []): object {
  return {
    BuildVersion: '21.0.5',
    HealthcheckConnections: { 'ks.0.primary': 1, 'ks.0.replica': 2 },
    HealthcheckErrors: { 'ks.0.primary': 0 },
    TopologyWatcherErrors: { GetTablet: 0, ListTablets: 4 },
    TopologyWatcherOperations: { AddTablet: 3, GetTablet: 30, ListTablets: 10 },
    cmdline: ['/vt/bin/vtgate', ...topoFlags(store), '--cell', 'zone1', ...flags],
    memstats: { Alloc: 1 },
    ...more,
  };
}

/** The part of a vttablet's `/debug/status` that names the tablet, as status.go of Vitess 3 makes it. */
export function oldStatus(alias: string, type: string): string {
  return `<!DOCTYPE html>
<html>
<head><title>Status for vttablet</title></head>
<h1>Status for vttablet</h1>
<h1>Tablet</h1>
<table width="100%" border="" frame="">
  <tr border="">
    <td width="25%" border="">
      Alias: <a href="http://vtctld/#/tablets/${alias}">${alias}</a><br>
      Keyspace: <a href="http://vtctld/#/keyspaces/ks">ks</a> Shard: <a href="http://vtctld/#/shard/ks/0">0</a> Tablet Type: ${type}<br>
      SrvKeyspace: <a href="http://vtctld/">other</a><br>
    </td>
  </tr>
</table>
</html>`;
}
