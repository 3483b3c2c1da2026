import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describeLab, progress } from './describe-lab';
import { firewallPairImage } from './firewall-pair/image';
import { nspawnLock } from './host/takedown';
import { allocateLab, listLabs, thisProcess, type LabRecord } from './host/record';
import { programFolder } from './host/scripts';
import { type LabHost, remainsOf, startLab, takeDown, waitFor, type LabSpec } from './index';

jest.setTimeout(240_000);

const nothing = { processes: [], mounts: [], namespaces: [], interfaces: [], directories: [] };

/** Two hosts and a cable: the machinery without any topology. */
const small: LabSpec = {
  kind: 'small',
  image: firewallPairImage,
  hostNames: ['a', 'b'],
  links: [
    [
      { host: 'a', interface: 'eth0' },
      { host: 'b', interface: 'eth0' },
    ],
  ],
  hosts: () =>
    ['a', 'b'].map((name, index) => ({
      name,
      interfaces: [{ name: 'eth0', addresses: [`10.0.0.${index + 1}/24`] }],
      files: [],
      mask: ['frr.service', 'conntrackd.service', 'nftables.service'],
    })),
};

/** Labs of this process that weren't there before; somebody else may be making one on this machine. */
const newSince = (before: readonly LabRecord[]): LabRecord[] =>
  listLabs().filter(
    ({ directory, owner }) => owner?.pid === process.pid && !before.some((record) => record.directory === directory),
  );

describeLab('a lab leaves nothing behind', () => {
  test("two labs at once keep out of each other's way, and each goes alone", async () => {
    const [first, second] = await Promise.all([startLab(small, {}, progress), startLab(small, {}, progress)]);
    try {
      expect(first.id).not.toBe(second.id);
      const locks = first.record.hosts.map(({ root }) => nspawnLock(root));
      expect(locks.every(existsSync)).toBe(true);
      expect(await first.host('a').exec('ping -q -c 1 10.0.0.2')).toContain('1 received');
      await first.down();
      expect(remainsOf(first.record)).toEqual(nothing);
      expect(locks.filter(existsSync)).toEqual([]);
      expect(await second.host('a').exec('ping -q -c 1 10.0.0.2')).toContain('1 received');
    } finally {
      await Promise.all([first.down(), second.down()]);
    }
    expect(remainsOf(second.record)).toEqual(nothing);
  });

  test("when a host can't be furnished", async () => {
    const before = listLabs();
    const broken: LabSpec = {
      ...small,
      hosts: (context) =>
        small
          .hosts(context)
          .map((host) => ({ ...host, files: [{ path: '/etc/x', content: '', owner: 'ghost:ghost' }] })),
    };
    await expect(startLab(broken, {}, progress)).rejects.toThrow("ghost isn't in /etc/passwd");
    expect(newSince(before)).toEqual([]);
  });

  test('when a host boots, but not well: the error says which unit failed', async () => {
    const before = listLabs();
    const ill = '[Service]\nRestart=no\nExecStartPre=/bin/false\n';
    const broken: LabSpec = {
      ...small,
      hosts: (context) =>
        small
          .hosts(context)
          .map((host) => ({ ...host, files: [{ path: '/etc/systemd/system/ssh.service.d/ill.conf', content: ill }] })),
    };
    await expect(startLab(broken, {}, progress)).rejects.toThrow(/units failed:\nssh\.service/);
    expect(newSince(before)).toEqual([]);
  });

  test('when the process that owns it is killed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hitless-owner-'));
    try {
      const programs = await programFolder(directory);
      const owner = spawn(process.execPath, ['-e', ownerProgram, programs, JSON.stringify(small.hostNames)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const id = await new Promise<string>((resolve, reject) => {
        createInterface({ input: owner.stdout }).once('line', resolve);
        owner.once('close', (code) => reject(new Error(`the owner ended with status ${code}`)));
      });
      const record = listLabs().find((each) => each.id === id)!;
      expect(remainsOf(record).namespaces).toHaveLength(2);
      owner.removeAllListeners('close');
      owner.kill('SIGKILL');
      await waitFor('the lab to go', () => !existsSync(record.directory), { timeoutMs: 30_000 });
      // Its keeper, too, ends a moment after the directory.
      await waitFor('the last remains', () => JSON.stringify(remainsOf(record)) === JSON.stringify(nothing));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('when its maker was killed half-way: the next lab reaps it', async () => {
    const orphan = allocateLab('small', { pid: 2 ** 22 - 1, startTime: '1' });
    const lab = await startLab(small, {}, progress);
    try {
      expect(existsSync(orphan.directory) && readFileSync(join(orphan.directory, 'lab.json'), 'utf8')).not.toContain(
        '4194303',
      );
    } finally {
      await lab.down();
    }
  });

  test('a half-made lab can be taken down, and again', async () => {
    const record = allocateLab('small', thisProcess());
    await takeDown(record);
    await takeDown(record);
    expect(remainsOf(record)).toEqual(nothing);
  });
});

describeLab('a host of a lab', () => {
  test('comes back from a reboot as it was before, if asked to: as from the other partition of an appliance', async () => {
    const lab = await startLab(small, {}, progress);
    try {
      const host: LabHost = lab.host('a');
      await host.exec('echo old > /etc/release-file');
      await host.snapshot();
      await host.exec('echo new > /etc/release-file; rm /etc/motd');
      await host.onNextReboot('restore-snapshot');
      await host.reboot();
      expect(host.readFile('/etc/release-file')).toBe('old\n');
      expect(await host.exec('cat /etc/motd')).toContain('Hitless');
      await host.exec('echo new > /etc/release-file');
      await host.reboot();
      expect(host.readFile('/etc/release-file')).toBe('new\n');
    } finally {
      await lab.down();
    }
  });
});

/** Starts the small lab, says its ID, and waits to be killed. */
const ownerProgram = `
const [programs, names] = process.argv.slice(1);
const { startLab } = require(programs + '/host/lab.js');
const { firewallPairImage } = require(programs + '/firewall-pair/image.js');
const hosts = JSON.parse(names).map((name) => ({ name, interfaces: [], files: [], mask: [] }));
startLab({ kind: 'small', image: firewallPairImage, hostNames: JSON.parse(names), links: [], hosts: () => hosts }, {}, () => {})
  .then((lab) => console.log(lab.id));
setInterval(() => {}, 1000);
`;
