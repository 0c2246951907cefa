import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify as verifySignature,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { type Certificate, partDigest, sideDigests } from './certificate.js';
import { counts } from './verdict.js';

/** A certificate with its signature: of the certificate's JSON without white space, its properties in the order of the file. */
export interface CertificateFile {
  readonly certificate: Certificate;
  readonly signature?: Signature | undefined;
}

/** An ed25519 signature. */
export interface Signature {
  readonly algorithm: 'ed25519';
  /** The public key as PEM. It says nothing by itself: whoever checks brings the key that he trusts. */
  readonly publicKey: string;
  /** As base64. */
  readonly value: string;
}

/** The private ed25519 key of a PEM, for {@link signed}. Usage for any other key. */
export function signingKey(pem: string | Buffer): KeyObject {
  return keyOf(() => createPrivateKey(pem), 'private');
}

/** Signs with a key of {@link signingKey}. */
export function signed(certificate: Certificate, key: KeyObject): CertificateFile {
  return {
    certificate,
    signature: {
      algorithm: 'ed25519',
      publicKey: createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString(),
      value: sign(null, payload(certificate), key).toString('base64'),
    },
  };
}

/**
 * Reads a file's text and checks that it is whole: every digest follows from those below it, and its decision is not another than its
 * differences and losses allow. Corrupt otherwise, and for what is no certificate.
 *
 * @param signer public ed25519 key, as PEM: what was not signed with its private part is refused before anything else is said of it (Guard)
 */
export function readCertificate(text: string, signer?: string | Buffer): CertificateFile {
  const file = parse(text);
  if (signer !== undefined) checkSignature(file, signer);
  const { certificate } = file;
  for (const part of certificate.parts)
    for (const side of ['source', 'destination'] as const)
      if (partDigest(part.groups, side) !== part[side].digest)
        throw corrupt(`the digest of the ${side}, ${part.scope}, is not that of its groups`);
  const { source, destination } = sideDigests(certificate.parts);
  if (source !== certificate.digests.source || destination !== certificate.digests.destination)
    throw corrupt('a digest of a whole side is not that of its parts');
  if (isContradicted(certificate))
    throw corrupt(
      `it says ${certificate.decision}, and lists differences or losses that make it something else`,
    );
  return file;
}

function isContradicted({ decision, failOn, differences, ignored, losses = {} }: Certificate): boolean {
  const isLost = Object.values(losses).some(({ accepted }) => !accepted);
  if (decision === 'equal') return differences.length > 0 || ignored.length > 0 || isLost;
  const doesCount =
    (isLost && counts('loss', failOn)) || differences.some((each) => counts(each.class, failOn));
  return decision !== 'different' && doesCount;
}

/** Refuses a certificate that was not signed with the private part of this public ed25519 key, as PEM (Guard). Usage for any other key. */
function checkSignature({ certificate, signature }: CertificateFile, pem: string | Buffer): void {
  const key = keyOf(() => createPublicKey(pem), 'public');
  const isValid =
    signature !== undefined &&
    verifySignature(null, payload(certificate), key, Buffer.from(signature.value, 'base64'));
  if (isValid) return;
  throw new TopologyError(
    ErrorCode.Guard,
    signature === undefined
      ? 'the certificate is not signed'
      : 'the certificate was not signed with this key, or was changed since',
    { hint: 'do not rely on it; verify again' },
  );
}

function payload(certificate: Certificate): Buffer {
  return Buffer.from(JSON.stringify(certificate));
}

function keyOf(read: () => KeyObject, kind: 'private' | 'public'): KeyObject {
  let key: KeyObject | undefined;
  let cause: unknown;
  try {
    key = read();
  } catch (error) {
    cause = error;
  }
  if (key?.asymmetricKeyType === 'ed25519') return key;
  const hint =
    kind === 'private'
      ? 'openssl genpkey -algorithm ed25519 -out cert.key makes one'
      : 'openssl pkey -in cert.key -pubout -out cert.pub gives it';
  throw new TopologyError(ErrorCode.Usage, `this is no ${kind} ed25519 key in PEM`, { hint, cause });
}

function parse(text: string): CertificateFile {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw corrupt('it is not JSON', error);
  }
  if (!isFile(file)) throw corrupt('it is not as schema/certificate.schema.json has it');
  return file;
}

const SCHEMA = new URL('../../schema/certificate.schema.json', import.meta.url);
let compiled: ValidateFunction | undefined;

function isFile(file: unknown): file is CertificateFile {
  compiled ??= new Ajv2020({ strictRequired: false }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
  return compiled(file) === true;
}

function corrupt(reason: string, cause?: unknown): TopologyError {
  return new TopologyError(ErrorCode.Corrupt, `not a certificate of this tool: ${reason}`, {
    hint: 'take the file as topo2topo verify --certificate wrote it',
    cause,
  });
}
