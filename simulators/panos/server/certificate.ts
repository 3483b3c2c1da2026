/** A device's own certificate: made anew in each process, self-signed as devices have it from the factory. */
import { X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';

export interface Certificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
  /** SHA-256, as "AB:CD:…". */
  readonly fingerprint: string;
}

const YEAR_MS = 365 * 86_400_000;

/** RSA keys take a while; one process that starts many pairs makes each once. */
const made = new Map<string, Promise<Certificate>>();

export function certificateOf(name: string, address: string): Promise<Certificate> {
  const id = `${name} ${address}`;
  const certificate = made.get(id) ?? make(name, address);
  made.set(id, certificate);
  return certificate;
}

async function make(name: string, address: string): Promise<Certificate> {
  const now = Date.now();
  const pems = await generate([{ name: 'commonName', value: name }], {
    keyType: 'rsa',
    keySize: 2_048,
    algorithm: 'sha256',
    notBeforeDate: new Date(now - YEAR_MS),
    notAfterDate: new Date(now + 10 * YEAR_MS),
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          { type: 7, ip: address },
        ],
      },
    ],
  });
  return { key: pems.private, cert: pems.cert, fingerprint: new X509Certificate(pems.cert).fingerprint256 };
}
