import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { keeperSocket, type HostStatus, type KeeperReply, type KeeperRequest } from './keeper-protocol';
import { MachineRunner } from './machine-runner';
import { isAlive, readRecord } from './record';
import { serveDirectory } from './repository-server';
import { takeDown } from './takedown';

/**
 * The one process that stays while a lab is up: `node keeper.js <directory of the lab>`. It boots the hosts and boots them again
 * after a reboot, serves the package repository, and takes the lab down when the process that owns it is gone.
 */
async function main(directory: string): Promise<void> {
  const record = readRecord(directory);
  const log = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);
  const machines = new Map(
    record.hosts.map((host) => {
      const services = record.services.filter((service) => service.host === host.name);
      return [host.name, new MachineRunner(record.id, host, services, log)] as const;
    }),
  );
  const repository =
    record.repository === undefined
      ? undefined
      : serveDirectory(record.repository.directory, record.management.gateway, record.repository.port, log);
  await repository?.listen();

  const answer = async (request: KeeperRequest): Promise<HostStatus[]> => {
    if (request.op === 'repository') {
      await (request.listen ? repository?.listen() : repository?.close());
    } else if (request.op !== 'status') {
      const machine = machines.get(request.host);
      if (machine === undefined) throw new Error(`there is no host ${request.host} in the lab ${record.id}`);
      if (request.op === 'start') await machine.start();
      else if (request.op === 'power-off') await machine.powerOff();
      else if (request.op === 'snapshot') await machine.snapshot();
      else machine.onReboot = request.then;
    }
    return [...machines.values()].map((machine) => machine.status());
  };

  rmSync(keeperSocket(directory), { force: true });
  createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    socket.on('error', () => undefined); // whoever asked has gone
    socket.setEncoding('utf8').on('data', (data: string) => (text += data));
    socket.on('end', () => {
      Promise.resolve()
        .then(() => answer(JSON.parse(text) as KeeperRequest))
        .then(
          (hosts): KeeperReply => ({ ok: true, hosts }),
          (error: Error): KeeperReply => ({ ok: false, error: error.message }),
        )
        .then((reply) => socket.end(JSON.stringify(reply)))
        .catch(() => undefined);
    });
  }).listen(keeperSocket(directory));

  const watch = setInterval(() => {
    // Read again each time: a lab that shall stay has an owner only until it is up.
    const { owner } = readRecord(directory);
    if (owner === undefined || isAlive(owner)) return;
    clearInterval(watch);
    log(`process ${owner.pid}, which owns this lab, is gone: taking it down`);
    takeDown(record).then(
      () => process.exit(0),
      (error: Error) => {
        log(error.message);
        process.exit(1);
      },
    );
  }, 500);
}

if (require.main === module) {
  const directory = process.argv[2];
  if (directory === undefined) throw new Error('usage: node keeper.js <directory of the lab>');
  main(directory).catch((error: Error) => {
    console.error(error.stack);
    process.exit(1);
  });
}
