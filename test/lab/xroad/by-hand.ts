import { waitFor } from '../host/command';
import { backends } from './haproxy';
import { ports } from './options';
import type { XRoadLab } from './start';

/**
 * What an engineer would type, without the product, step by step (facts/x-road.md section 6): tests use it to show that the cluster
 * can be upgraded without loss, and what goes wrong in another order.
 */

/** A1, A2: configuration synchronization off and replay paused on a secondary. */
export async function pauseSync(lab: XRoadLab, node: string): Promise<void> {
  const host = lab.host(node);
  const { flag, service } = lab.description.sync;
  await host.exec(`runuser -u xroad -- touch ${flag}`);
  await waitFor('a running synchronization to end', async () => {
    return (await host.tryExec(`systemctl is-active ${service}`)).stdout.trim() !== 'activating';
  });
  await lab.sql(node, 'select pg_wal_replay_pause()');
  await waitFor(`${node} to pause`, async () => (await pauseState(lab, node)) === 'paused');
}

export const pauseState = (lab: XRoadLab, node: string): Promise<string> =>
  lab.sql(node, 'select pg_get_wal_replay_pause_state()');

/** B1, B2: out of service both ways, then waits until nothing passes through the node. */
export async function takeOut(lab: XRoadLab, node: string): Promise<void> {
  await lab.maintenance(node, true);
  for (const { name } of backends) await lab.balancer(`set server ${name}/${node} state drain`);
  const { message, client, clientTls } = ports;
  const own = `( sport = :${message} or sport = :${client} or sport = :${clientTls} )`;
  await waitFor(`${node} to be idle`, async () => {
    const established = await lab.host(node).exec(`ss -Htn state established '${own}'`);
    const servers = (await lab.servers()).filter(({ server }) => server === node);
    return established === '' && servers.every(({ sessions }) => sessions === 0);
  });
}

/** B3. */
export async function stopServices(lab: XRoadLab, node: string): Promise<void> {
  await lab.host(node).exec(`systemctl stop ${lab.description.services.join(' ')}`);
}

/** B4: with the services masked, so that the packages can't start them. Returns what apt-get said, errors included. */
export async function installMasked(lab: XRoadLab, node: string, release: string): Promise<string> {
  const host = lab.host(node);
  const services = lab.description.services.join(' ');
  await host.exec(`systemctl mask --runtime ${services}`);
  const said = await aptInstall(lab, node, release);
  await host.exec(`systemctl unmask --runtime ${services}`);
  return said;
}

/** What somebody without this guide would do: the packages, and nothing else. */
export async function aptInstall(lab: XRoadLab, node: string, release: string): Promise<string> {
  const options = '-y -q -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold';
  const packages = lab.repo.installArguments(release).join(' ');
  const host = lab.host(node);
  await host.exec('apt-get update -q');
  return host.exec(`DEBIAN_FRONTEND=noninteractive apt-get install ${options} ${packages} 2>&1`);
}

/** B5, B6: services up, healthy, back in the load balancer. Starting the proxy has ended maintenance mode. */
export async function putBack(lab: XRoadLab, node: string): Promise<void> {
  await lab.host(node).exec(`systemctl start ${lab.description.services.join(' ')}`);
  await waitFor(`${node} to be healthy`, async () => (await lab.health(node)).status === 200, { timeoutMs: 180_000 });
  for (const { name } of backends) await lab.balancer(`set server ${name}/${node} state ready`);
  await lab.waitServing([node]);
}

/** C3: lets a secondary replay what it has received, and waits until it has reached `position` of the primary. */
export async function resumeReplay(lab: XRoadLab, node: string, position: string): Promise<void> {
  await lab.sql(node, 'select pg_wal_replay_resume()');
  const reached = `select pg_last_wal_replay_lsn() >= '${position}'::pg_lsn from pg_stat_wal_receiver where status = 'streaming'`;
  await waitFor(`${node} to replay ${position}`, async () => (await lab.sql(node, reached)) === 't');
}

/** C5, C6. */
export async function resumeFiles(lab: XRoadLab, node: string): Promise<void> {
  const { flag, service } = lab.description.sync;
  await lab.host(node).exec(`rm -f ${flag} && systemctl start ${service}`);
}

/** The primary's position, for `resumeReplay`. */
export const position = (lab: XRoadLab): Promise<string> =>
  lab.sql(lab.description.roles.primary, 'select pg_current_wal_lsn()');

/** B as a whole. Returns the position up to which the secondaries must replay. */
export async function upgradePrimary(lab: XRoadLab, release: string): Promise<string> {
  const { primary } = lab.description.roles;
  await takeOut(lab, primary);
  await stopServices(lab, primary);
  await installMasked(lab, primary, release);
  await putBack(lab, primary);
  return position(lab);
}

/** C as a whole, for one secondary. */
export async function upgradeSecondary(lab: XRoadLab, node: string, release: string, upTo: string): Promise<void> {
  await takeOut(lab, node);
  await stopServices(lab, node);
  await resumeReplay(lab, node, upTo);
  await installMasked(lab, node, release);
  await resumeFiles(lab, node);
  await putBack(lab, node);
}

/** The rolling upgrade of the guide, in its order. */
export async function upgradeRolling(lab: XRoadLab, release: string): Promise<void> {
  const { secondaries } = lab.description.roles;
  await Promise.all(secondaries.map((node) => pauseSync(lab, node)));
  const upTo = await upgradePrimary(lab, release);
  for (const node of secondaries) await upgradeSecondary(lab, node, release, upTo);
}
