/** A simulated pair as two TLS servers on loopback, with a clock that may run faster, and a side port for faults. */
import { SimulatedPair } from '../pair';
import type { DeviceOptions, PairOptions } from '../options';
import { certificateOf } from './certificate';
import { PairClock } from './clock';
import { ControlServer } from './control';
import { DeviceListener } from './listener';

export interface ServerOptions extends PairOptions {
  /** Loopback addresses, one for each device. */
  readonly addresses?: readonly [string, string];
  /** Of both devices; 0: any, another for each. */
  readonly port?: number;
  /** Simulated time for each unit of real time. */
  readonly speed?: number;
  readonly controlPort?: number;
  readonly onChange?: (at: number, what: string) => void;
}

export interface ServedDevice {
  readonly name: string;
  readonly url: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** SHA-256 of the certificate, as "AB:CD:…". */
  readonly fingerprint: string;
  /** PEM: a CA bundle for clients that can't pin. */
  readonly certificate: string;
  readonly serial: string;
}

export interface ServedPair {
  readonly devices: readonly [ServedDevice, ServedDevice];
  readonly control: { readonly url: string };
  readonly pair: SimulatedPair;
  /** For tests: lets simulated time pass at once, and says what time it is. */
  readonly clock: { now(): number; advance(ms: number): void; speed: number };
  now(): number;
  /** Closes every listener and connection. */
  stop(): Promise<void>;
}

const ADDRESSES = ['127.0.0.2', '127.0.0.3'] as const;
const LOOPBACK = /^127\.\d+\.\d+\.\d+$/;

/**
 * Starts the devices; resolves when both listen. Simulated time starts with the real one.
 * @throws Error where an address isn't loopback, or can't be listened on.
 */
export async function startSimulatedPair(options: ServerOptions = {}): Promise<ServedPair> {
  const { addresses = ADDRESSES, port = 0, speed = 1, controlPort = 0, onChange } = options;
  for (const address of addresses)
    if (!LOOPBACK.test(address)) throw new Error(`${address} is no loopback address: 127.x.x.x`);
  if (addresses[0] === addresses[1] && port !== 0)
    throw new Error(`both devices on ${addresses[0]}, port ${port}: give each its own address, or port 0`);
  // What they say of themselves is where they are.
  const devicesAt = ([0, 1] as const).map((side): Partial<DeviceOptions> => ({
    address: addresses[side],
    ...options.devices?.[side],
  })) as [Partial<DeviceOptions>, Partial<DeviceOptions>];
  const pair = new SimulatedPair({ startAt: Date.now(), ...options, devices: devicesAt });
  if (onChange !== undefined) pair.onChange = onChange;
  const listeners: DeviceListener[] = [];
  const clock = new PairClock(pair, speed, () => {
    for (const listener of listeners) listener.reconcile();
  });
  const tick = (): void => clock.tick();
  const control = new ControlServer(pair, clock);
  const stop = async (): Promise<void> => {
    clock.stop();
    await Promise.all([...listeners.map((listener) => listener.stop()), control.stop()]);
  };
  try {
    const serve = async (side: 0 | 1): Promise<ServedDevice> => {
      const device = pair.devices[side];
      const certificate = await certificateOf(device.name, addresses[side]);
      const listener = new DeviceListener(device, certificate, addresses[side], port, tick);
      await listener.open();
      listeners.push(listener);
      return {
        name: device.name,
        url: `https://${addresses[side]}:${listener.port}`,
        address: addresses[side],
        port: listener.port,
        user: pair.options.user,
        password: pair.options.password,
        fingerprint: certificate.fingerprint,
        certificate: certificate.cert,
        serial: device.serial,
      };
    };
    const devices = [await serve(0), await serve(1)] as const;
    const url = await control.listen(controlPort);
    clock.tick();
    return { devices, control: { url }, pair, clock, now: () => clock.now(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
