/** Certificates of the configuration: key size and hash, from the certificate itself. Pure. */
import { X509Certificate } from 'node:crypto';
import { textAt, type XmlElement } from '../../api';
import type { Hash } from './hashes';
import { UnknownReply } from './system';

export interface Certificate {
  readonly name: string;
  readonly kind: 'rsa' | 'ecdsa';
  readonly bits: number;
  readonly hash: Hash;
}

/** Of an entry below /config/shared/certificate. @throws UnknownReply for a kind or hash that isn't known */
export function parseCertificate(entry: XmlElement): Certificate {
  const name = entry.attributes['name'] ?? '';
  const pem = textAt(entry, 'public-key') ?? '';
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new UnknownReply(`the certificate ${name}`, pem);
  }
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  const hash = HASHES[signatureOid(certificate.raw)];
  if (hash === undefined) throw new UnknownReply(`the signature of certificate ${name}`, signatureOid(certificate.raw));
  if (asymmetricKeyType === 'rsa') return { name, kind: 'rsa', bits: asymmetricKeyDetails?.modulusLength ?? 0, hash };
  const bits = CURVE_BITS[asymmetricKeyDetails?.namedCurve ?? ''];
  if (asymmetricKeyType !== 'ec' || bits === undefined)
    throw new UnknownReply(`the key of certificate ${name}`, String(asymmetricKeyType));
  return { name, kind: 'ecdsa', bits, hash };
}

const CURVE_BITS: Readonly<Record<string, number>> = {
  prime256v1: 256,
  secp256k1: 256,
  secp384r1: 384,
  secp521r1: 521,
};

/** Signature algorithms by the bytes of their object identifiers (RFC 8017, RFC 5758). */
const HASHES: Readonly<Record<string, Hash>> = {
  '2a864886f70d010104': 'md5',
  '2a864886f70d010105': 'sha1',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha1',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};

/**
 * Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER … } … }. Node 20
 * doesn't tell the algorithm. Hexadecimal bytes of the identifier; '' where the DER isn't of that shape.
 */
function signatureOid(der: Buffer): string {
  const certificate = element(der, 0);
  const signed = certificate && element(der, certificate.from);
  const algorithm = signed && element(der, signed.to);
  const oid = algorithm && element(der, algorithm.from);
  return oid === undefined ? '' : der.toString('hex', oid.from, oid.to);
}

/** Where the content of the DER element at an offset begins and ends. */
function element(der: Buffer, at: number): { readonly from: number; readonly to: number } | undefined {
  const first = der[at + 1];
  if (first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (at + 2 + lengthBytes > der.length || lengthBytes > 4) return undefined;
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  const from = at + 2 + lengthBytes;
  return { from, to: from + length };
}
