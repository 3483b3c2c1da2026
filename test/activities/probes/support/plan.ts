/** Plans for probes, and services that reach hosts by real SSH. */
import { join } from 'node:path';
import { monitoringSpec, sshLines, type MonitoringPlan, type ProbeServices } from '../../../../activities/probes';
import { createHosts, hostsSpec } from '../../../../activities/ssh';
import { Pool } from '../../../../activities/ssh/pool';
import { makeKey, Sshd } from '../../ssh/support/sshd';

export function planOf(
  monitoring: Record<string, unknown>,
  hosts: Record<string, unknown> = {},
): MonitoringPlan & { readonly hosts: Record<string, unknown> } {
  return {
    monitoring: monitoringSpec.parse({ periodMs: '1h', intervalMs: '100ms', ...monitoring }),
    hosts: hostsSpec.parse(hosts),
  };
}

export interface SshBench {
  readonly sshd: Sshd;
  /** Entry for `hosts`. */
  readonly host: Record<string, unknown>;
  readonly services: ProbeServices;
  close(): Promise<void>;
}

/** A real sshd on loopback; what it runs has HITLESS_MARK in its environment. */
export async function sshBench(mark: string): Promise<SshBench> {
  const sshd = await Sshd.start({ authorized: [], config: [`SetEnv HITLESS_MARK=${mark}`] });
  const key = join(sshd.directory, 'user_key');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(join(sshd.directory, 'authorized_keys'), `${makeKey(key)}\n`);
  const pool = new Pool(1_000);
  const hosts = createHosts({ idleMs: 1_000 });
  return {
    sshd,
    host: {
      address: sshd.address,
      port: sshd.port,
      user: sshd.user,
      credentials: `file:${key}`,
      hostKeys: [sshd.hostKey],
      root: 'none',
    },
    services: { connect: hosts.connect, openLines: sshLines(pool) },
    close: async () => {
      pool.close();
      hosts.close();
      await sshd.remove();
    },
  };
}

/** For probes that reach no host. */
export const noHosts: ProbeServices = {
  connect: () => Promise.reject(new Error('no host is reached in this test')),
  openLines: () => Promise.reject(new Error('no host is reached in this test')),
};
