/** `inventory validate`. */
import type { Command } from 'commander';
import { counted } from '../../activities/kit/counted';
import { inventoryPath, loadInventory } from '../../worker/inventory';
import { withExamples, withJson, type Context } from '../context';
import { table } from '../render/text';

export function addInventoryCommand(program: Command, context: Context): void {
  const inventory = program.command('inventory').description('The inventory: the YAML file on the worker.');
  withExamples(inventory, ['hitless inventory validate', 'check it'], ['hitless inventory validate --help', '']);
  const validate = inventory
    .command('validate')
    .argument('[file]', 'the file; $HITLESS_INVENTORY, or else /etc/hitless/inventory.yaml')
    .description('Check an inventory. Every fault is listed with its path, line and column. Needs no server.')
    .action((file: string | undefined, options: { readonly json?: boolean }) =>
      context.run(options, async (session) => {
        const path = inventoryPath(file, session.io.env);
        const { clusters, hosts } = loadInventory(path);
        const rows = Object.entries(clusters).map(([name, cluster]) => ({
          cluster: name,
          kind: cluster.kind,
          nodes: Object.keys(cluster.nodes),
          releases: 'software' in cluster ? Object.keys(cluster.software.releases) : [],
        }));
        const text = table(
          rows.map((r) => [
            r.cluster,
            r.kind,
            `nodes ${r.nodes.join(', ')}`,
            r.releases.length === 0 ? '' : `releases ${r.releases.join(', ')}`,
          ]),
          { indent: 2 },
        );
        return {
          text: `${path} is valid: ${counted(Object.keys(hosts).length, 'host')}, ${counted(rows.length, 'cluster')}\n${text}`,
          json: { file: path, valid: true, hosts: Object.keys(hosts), clusters: rows },
        };
      }),
    );
  withExamples(
    withJson(validate),
    ['hitless inventory validate', 'exit code 0 if it is valid, 2 if not'],
    ['hitless inventory validate docs/inventory.example.yaml', ''],
  );
}
