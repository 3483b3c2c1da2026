import { siteNotes, type Inventory } from '../../../worker/inventory';

const inventory = {
  clusters: { a: { site: 'dc1' }, b: {}, c: { site: 'dc1' }, d: { site: 'dc2' } },
} as unknown as Inventory;

test('a site that no cluster is at is told: its queue would be polled for ever, and nothing come', () => {
  expect(siteNotes(inventory, ['dc1', 'dc2'])).toEqual([]);
  expect(siteNotes(inventory, ['dc1', 'dcl'])).toEqual([
    'NOTE: no cluster of the inventory is at the site "dcl"; sites are dc1, dc2',
  ]);
  expect(siteNotes({ clusters: { b: {} } } as unknown as Inventory, ['x'])).toEqual([
    'NOTE: no cluster of the inventory is at the site "x"; no cluster has a site',
  ]);
});
