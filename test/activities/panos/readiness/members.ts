/** The members of a simulated pair in memory, reached as activities reach real ones. */
import { createDevice, type PanosDevice, type Transport } from '../../../../activities/panos/api';
import { transient } from '../../../../activities/kit/errors';
import type { SimulatedDevice, SimulatedPair } from '../../../../simulators/panos';

export const memoryTransport =
  (device: SimulatedDevice): Transport =>
  async ({ parameters, key }) => {
    const reply = device.request({
      method: 'POST',
      params: { get: (name) => parameters[name] ?? null },
      headers: key === undefined ? {} : { 'x-pan-key': key },
    });
    if (reply.kind !== 'answer') throw transient('Unreachable', `${device.name} doesn’t answer (${reply.kind})`);
    return { status: reply.status, body: Buffer.from(reply.body) };
  };

export const membersOf = (pair: SimulatedPair): PanosDevice[] =>
  pair.devices.map((device) =>
    createDevice({
      name: device.name,
      transport: memoryTransport(device),
      keys: {
        get: async () => device.auth.keygen(pair.options.user, pair.options.password) ?? '',
        insteadOf: async (refused) => refused,
      },
      signal: new AbortController().signal,
      trusted: true,
      record: () => undefined,
      now: () => pair.now,
      callTimeoutMs: 1_000,
      transferTimeoutMs: 1_000,
    }),
  );
