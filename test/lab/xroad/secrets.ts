import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from '../host/command';

/** Keys of one lab: for replication (TLS, PEM) and for rsync (OpenSSH). */
export interface Secrets {
  authority: string;
  /** By node; the common name is the node's, which PostgreSQL takes for the role. */
  certificates: Record<string, { certificate: string; key: string }>;
  sync: { privateKey: string; publicKey: string };
}

export async function makeSecrets(nodes: readonly string[]): Promise<Secrets> {
  const directory = mkdtempSync(join(tmpdir(), 'hitless-xroad-'));
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  const request = (name: string, commonName: string, ...more: string[]): Promise<string> =>
    check(
      [
        ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-days', '3650', '-subj', `/CN=${commonName}`, '-keyout', `${name}.key`, '-out', `${name}.crt`, ...more],
      ],
      { cwd: directory },
    );
  try {
    await request('authority', 'Hitless lab');
    const certificates: Secrets['certificates'] = {};
    for (const node of nodes) {
      // Not a CA, or any node could vouch for any other.
      const signed = [
        '-CA',
        'authority.crt',
        '-CAkey',
        'authority.key',
        '-addext',
        'basicConstraints=critical,CA:FALSE',
      ];
      await request(node, node, ...signed);
      certificates[node] = { certificate: read(`${node}.crt`), key: read(`${node}.key`) };
    }
    const key = join(directory, 'sync');
    await check(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'xroad', '-f', key]);
    return {
      authority: read('authority.crt'),
      certificates,
      sync: { privateKey: read('sync'), publicKey: read('sync.pub') },
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
