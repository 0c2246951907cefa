import type { KeyObject } from 'node:crypto';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { formatAddress, parseAddress } from '../topo/address.js';
import { errnoText, isErrno } from '../topo/errno.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { Topology } from '../topo/topology.js';
import { type Baseline, baselineOf, baselineOfDigests } from '../verify/baseline.js';
import { type Certificate, certify } from '../verify/certificate.js';
import { type CertificateFile, readCertificate, signed, signingKey } from '../verify/certificate-file.js';
import { covers, type Narrowing } from '../verify/narrowing.js';
import type { VerifyReport } from '../verify/report.js';
import { readFlagFile } from './files.js';
import { type Flags, looksLikeAddress, text, usage } from './flags.js';
import { type Io, json } from './io.js';
import { connectSettings } from './login.js';
import { storesFor } from './stores.js';
import type { Pair } from './topologies.js';
import type { Judging } from './verify-flags.js';
import { version } from './version.js';

/** A certificate that is to be written. */
export interface Wish {
  readonly file: string;
  /** What signs it. */
  readonly key: KeyObject | undefined;
}

/**
 * Reads --certificate and --certificate-key. Usage: also for a file that exists, since an old certificate would seem to be of this run. What
 * would keep it from being written is found here, before hours of reading and not after.
 */
export function certificateWish(flags: Flags): Wish | undefined {
  const file = text(flags, 'certificate');
  const key = text(flags, 'certificate-key');
  if (file === undefined) {
    if (key !== undefined) throw usage('--certificate-key is given without --certificate');
    return undefined;
  }
  if (existsSync(file))
    throw usage(`the file ${file} exists`, 'a certificate is never overwritten: name another file');
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    throw notWritten(file, error);
  }
  return { file, key: key === undefined ? undefined : signingKey(readFlagFile(key)) };
}

/** Writes the certificate of a comparison that made digests. Unavailable, with the decision, when it cannot be written: none is left then. */
export function writeCertificate(
  { file, key }: Wish,
  pair: Pair,
  report: VerifyReport,
  judging: Judging,
  times: { readonly started: number; readonly ended: number },
): void {
  const certificate = certify(report, {
    ...judging,
    tool: version(),
    ...times,
    from: formatAddress(pair.source.address),
    to: formatAddress(pair.destination.address),
  });
  const made: CertificateFile = key === undefined ? { certificate } : signed(certificate, key);
  try {
    writeFileSync(file, `${json(made)}\n`, { flag: 'wx' });
  } catch (error) {
    // Half of it would be in the way of the next one.
    if (!isErrno(error, 'EEXIST')) rmSync(file, { force: true });
    throw new TopologyError(
      ErrorCode.Unavailable,
      `both sides were compared (${certificate.decision}), and the certificate ${file} cannot be written: ${errnoText(error)}`,
      {
        hint: 'look for room on the disk, and compare again: nothing is certified',
        retryable: false,
        cause: error,
      },
    );
  }
}

function notWritten(file: string, error: unknown): Error {
  return usage(
    `the certificate cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'error'}`,
    `check the file ${file}`,
  );
}

/** Reads a certificate and checks that it is whole; with --key, its signature, too. */
export function certificateOf(file: string, flags: Flags): Certificate {
  const key = text(flags, 'key');
  const signer = key === undefined ? undefined : readFlagFile(key);
  return readCertificate(readFlagFile(file).toString('utf8'), signer).certificate;
}

/** A certificate of a selection is no news of what was not in it. */
export function notCovering(flag: string, file: string): Error {
  return usage(
    `${flag}: the certificate ${file} is of a selection, and not of all that is asked for now`,
    'narrow the command alike (--cells, --kinds, --keyspace), or take a certificate of the whole',
  );
}

/** What --baseline names: a backup, or a certificate. Closed after `work`. */
export async function withBaseline<T>(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  narrowing: Narrowing,
  work: (baseline: Baseline | undefined) => Promise<T>,
): Promise<T> {
  const given = text(flags, 'baseline');
  if (given === undefined) return work(undefined);
  if (!looksLikeAddress(given)) {
    const { parts, selection } = certificateOf(given, {});
    if (!covers(selection, narrowing)) throw notCovering('--baseline', given);
    return work(baselineOfDigests(new Map(parts.map(({ scope, groups }) => [scope, groups]))));
  }
  const address = parseAddress(given);
  if (address.implementation !== 'file')
    throw usage(
      '--baseline takes a backup (file:BEFORE.topo) or a certificate',
      'topo2topo copy ADDRESS file:BEFORE.topo makes a backup',
    );
  const stores = storesFor(connectSettings({}, '', io.env, address), 'read', signal);
  const topology = await Topology.open({ global: address, stores });
  try {
    return await work(baselineOf(topology, { signal }));
  } finally {
    await topology.close();
  }
}
