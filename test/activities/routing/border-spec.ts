/** Section `routing` of a pair that one border steers, for tests of what stands in its configuration. */
import { routingSpec } from '../../../activities/routing/spec';

export const borderSpec = routingSpec.parse({
  steering: { method: 'bgp-policy', persist: false },
  routers: {
    border: {
      host: 'border',
      platform: 'frr',
      side: 'inside',
      access: 'group',
      families: {
        'ipv4 unicast': {
          destinations: ['0.0.0.0/0'],
          paths: { fw1: { neighbor: '10.0.3.1' }, fw2: { neighbor: '10.0.3.2' } },
        },
      },
      policy: {
        localAs: 65200,
        routeMaps: {
          fw1: { in: { name: 'FROM-FW1', sequence: 10 }, out: { name: 'TO-FW1', sequence: 10 } },
          fw2: { in: { name: 'FROM-FW2', sequence: 10 }, out: { name: 'TO-FW2', sequence: 10 } },
        },
        preferred: { localPreference: 110, prepend: 0 },
        other: { localPreference: 100, prepend: 2 },
      },
    },
    edge: {
      host: 'edge',
      platform: 'frr',
      side: 'outside',
      families: {
        'ipv4 unicast': {
          destinations: ['10.0.0.0/8'],
          paths: { fw1: { neighbor: '10.0.1.1' }, fw2: { neighbor: '10.0.1.2' } },
        },
      },
    },
  },
});
