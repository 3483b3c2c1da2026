/** Whole upgrades of a simulated PAN-OS pair: an engine, `hitless worker` as a process of its own, devices over TLS. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { panosInventoryOf, type PanosInventoryOptions } from '../../demo/panos';
import { startSimulatedPair, type ServedPair, type ServerOptions } from '../../simulators/panos/server';
import { AnySite, breakGround } from './support';

/** Simulated time for each unit of real time. */
const SPEED = 120;
const PASSWORD = 'HITLESS_TEST_PANOS_PASSWORD';

export interface PanosGround {
  readonly served: ServedPair;
  /** Commands that take a device down or change who serves, in their order: "suspend fw-b". */
  readonly commands: string[];
  /** Moments at which neither device passed traffic. */
  readonly outages: string[];
  down(): Promise<void>;
  host(name: string): never;
}

const WATCHED = {
  suspend: '<suspend>',
  functional: '<functional>',
  install: '<software><install>',
  restart: '<restart>',
};

async function simulate(options: ServerOptions): Promise<PanosGround> {
  const commands: string[] = [];
  const outages: string[] = [];
  const served: ServedPair = await startSimulatedPair({
    speed: SPEED,
    ...options,
    onChange: (at, what) => {
      if (!served.pair.devices.some(({ serving }) => serving)) outages.push(`${new Date(at).toISOString()} ${what}`);
    },
  });
  for (const device of served.pair.devices) {
    const answer = device.request.bind(device);
    device.request = (request) => {
      const command = request.params.get('cmd') ?? '';
      const name = Object.entries(WATCHED).find(([, part]) => command.includes(part))?.[0];
      if (name !== undefined) commands.push(`${name} ${device.name}`);
      return answer(request);
    };
  }
  return {
    served,
    commands,
    outages,
    down: () => served.stop(),
    host: (name) => {
      throw new Error(`${name} is a device without a shell`);
    },
  };
}

/** A site with a simulated PAN-OS pair. */
export class PanosSite extends AnySite<PanosGround> {
  readonly cluster = 'pa-edge';
  readonly kind = 'panos-pair';

  static async start(options: ServerOptions = {}): Promise<PanosSite> {
    return new PanosSite(await breakGround(() => simulate(options)));
  }

  async writeInventory(options: Partial<PanosInventoryOptions> = {}): Promise<void> {
    const { served } = this.lab;
    process.env[PASSWORD] = served.devices[0].password;
    const inventory = panosInventoryOf(served, {
      cluster: this.cluster,
      monitoring: '3s',
      password: `env:${PASSWORD}`,
      ...options,
      panos: { backups: join(this.directory, 'backups'), ...options.panos },
    });
    await writeFile(this.inventoryPath, inventory, { mode: 0o644 });
  }

  releases(): string[] {
    return this.lab.served.pair.devices.map(({ software }) => software.running);
  }

  states(): string[] {
    return this.lab.served.pair.devices.map(({ haState }) => haState);
  }
}
