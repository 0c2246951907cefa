import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { TlsSettings } from '../topo/backend.js';
import { readFlagFile } from './files.js';
import { usage } from './flags.js';

/** Names of PEM files; certificate and key are given together or not at all. */
interface PemFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/**
 * TLS with what PEM files hold. Usage when one cannot be read, is no PEM, or when certificate and key do not belong
 * together: the libraries that use them say so late, and of another fault.
 */
export function tlsOfFiles({ ca, cert, key }: PemFiles, serverName: string | undefined): TlsSettings {
  const pems = {
    ca: ca === undefined ? undefined : certificate(ca),
    cert: cert === undefined ? undefined : certificate(cert),
    key: key === undefined ? undefined : readFlagFile(key),
  };
  if (pems.cert !== undefined && pems.key !== undefined)
    checked(
      () => createSecureContext({ cert: pems.cert, key: pems.key }),
      `the file ${key} holds no private key for the certificate in ${cert}`,
      'give the key that belongs to the certificate, as PEM and without a passphrase',
    );
  return { ...pems, serverName };
}

function certificate(file: string): Buffer {
  const pem = readFlagFile(file);
  const message = `the file ${file} holds no certificate as PEM`;
  const hint = 'it begins with -----BEGIN CERTIFICATE-----';
  if (!pem.includes('-----BEGIN ')) throw usage(message, hint);
  checked(() => new X509Certificate(pem), message, hint);
  return pem;
}

/** The reasons that OpenSSL gives are numbers and words of its own. */
function checked(check: () => unknown, message: string, hint: string): void {
  try {
    check();
  } catch {
    throw usage(message, hint);
  }
}
