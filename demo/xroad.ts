/** The X-Road cluster's demo: a rolling upgrade. Its services are stand-ins, what they run on is real. */
import { aptInstall, startXRoadLab, type MessageReport, type XRoadLab } from '../test/lab';
import type { Scene } from './run';
import { xroadInventoryOf } from './xroad-inventory';

export interface XRoadFigures {
  readonly requests: { readonly sent: number; readonly failed: number; readonly slow: number; readonly long: number };
  readonly answeredBy: Readonly<Record<string, number>>;
}

const VERSION = '7.8.0-1';

export const xroadScene: Scene<XRoadLab, MessageReport, XRoadFigures> = {
  cluster: 'ss-prod',
  kind: 'x-road-cluster',
  version: VERSION,
  startLab: (progress) => startXRoadLab({ syncPeriodSeconds: 5 }, progress),
  inventory: (lab, monitoring) => xroadInventoryOf(lab.description, { monitoring }),
  startTraffic: (lab) => lab.startTraffic(),
  trafficRuns: '200 requests a second through HAProxy, two of them 5 s long',
  soFar: ({ sent, failed }) => `${failed} of ${sent} requests failed`,
  measured: ({ sent, failed, slow, long, answeredBy, faults }) => ({
    figures: { requests: { sent, failed, slow, long }, answeredBy },
    lines: [
      ['requests', `${sent} sent, ${long} of them 5 s long; ${failed} failed, ${slow} slower than 1 s`],
      [
        'answered by',
        Object.entries(answeredBy)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([node, count]) => `${node}: ${count}`)
          .join(', '),
      ],
    ],
    faults,
  }),
  plain: {
    name: 'plain apt-get, node after node',
    async upgrade(lab, say, signal) {
      for (const node of lab.description.roles.nodes) {
        signal.throwIfAborted();
        say(`apt-get install on ${node}`);
        await aptInstall(lab, node, VERSION);
        await lab.waitServing([node]);
      }
    },
  },
};
