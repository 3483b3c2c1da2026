/** One node, and its way from 1.0 to 2.0. */
export const install = { node: 'fw1', release: '2.0', previous: '1.0' };
export const stage = { nodes: ['fw1'], releases: ['2.0', '1.0'] as const };
export const ready = { runs: { fw1: '1.0' }, releases: ['2.0', '1.0'] as const };
export const STAGED = '/var/lib/hitless/stage/fw-dc1';
