import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder } from './watchdog.js';

const run = promisify(execFile);

/** Paths of PEM files: an authority, and a certificate of its for 127.0.0.1 (servers and clients alike). */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** The folder that holds them: `removeFolder` deletes it, and the end of this process does. */
  readonly folder: string;
}

const DAYS = '2';
const KEY = ['-newkey', 'rsa:2048', '-nodes'];

/**
 * Makes a certificate authority and a certificate for `127.0.0.1` and `localhost`, valid for two days.
 *
 * @throws Error when the machine has no `openssl`
 */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await makeFolder();
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: folder });
  await writeFile(
    join(folder, 'leaf.cnf'),
    'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n',
  );
  const authority = ['-x509', '-days', DAYS, '-subj', '/CN=topo2topo test authority'];
  await openssl('req', ...KEY, ...authority, '-keyout', 'ca.key', '-out', 'ca.pem');
  await openssl('req', ...KEY, '-subj', '/CN=localhost', '-keyout', 'leaf.key', '-out', 'leaf.csr');
  const issuer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  const leaf = ['-in', 'leaf.csr', '-days', DAYS, '-extfile', 'leaf.cnf', '-out', 'leaf.pem'];
  await openssl('x509', '-req', ...issuer, ...leaf);
  const path = (name: string): string => join(folder, name);
  return { ca: path('ca.pem'), cert: path('leaf.pem'), key: path('leaf.key'), folder };
}
