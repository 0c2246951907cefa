import { listed } from '../../topo/finding.js';
import { type Diagnosis, diagnose } from './diagnosis.js';
import type { SideReading } from './reading.js';

/** Milliseconds that a lock of etcd should outlive its holder's last sign of life. */
const LEASE_MS = 120_000;

/** Settings that a move needs, on either side. */
export function moveSettings({ side, address, scopes, lockTtlMs }: SideReading): Diagnosis[] {
  const isShort = side === 'destination' && address.implementation === 'etcd2' && (lockTtlMs ?? 0) < LEASE_MS;
  const lease = lockTtlMs === undefined ? 'is not given' : `is ${lockTtlMs / 1_000} s`;
  const unnamed = scopes.flatMap(({ survey, form }) =>
    (form === undefined ? (survey?.decoded ?? []) : [])
      .filter(({ kind, fields }) => kind === 'Keyspace' && (fields['sidecar_db_name'] ?? '') === '')
      .map(({ path }) => path.split('/')[1] ?? ''),
  );
  return [
    ...(isShort ? [diagnose('lease-ttl', { side }, `--to-topo-etcd-lease-ttl ${lease}`)] : []),
    ...(unnamed.length === 0
      ? []
      : [
          diagnose(
            'sidecar-db-name',
            { side, scope: 'global' },
            `sidecar_db_name is not filled in keyspaces ${listed(unnamed)}`,
          ),
        ]),
  ];
}
