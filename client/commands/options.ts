import type { Command } from 'commander';
import type { z } from 'zod';
import { startInput } from '../../workflows/contract';
import { defaultUser } from '../context';
import { parseInput } from '../start';

/** Options that say which workflow type and task queue serve a cluster. */
export const withRouting = (command: Command): Command =>
  command
    .option(
      '--procedure <kind>',
      'kind of the cluster; read from the inventory where one is at hand, else firewall-pair',
    )
    .option(
      '--task-queue <name>',
      'task queue of the workers; read from the inventory where one is at hand, else hitless',
    );

export interface RoutingOptions {
  readonly procedure?: string;
  readonly taskQueue?: string;
}

export const withPerson = (command: Command): Command =>
  command.option('--by <name>', 'who says so; $HITLESS_USER, or else the user of this system');

export const personOf = (options: { readonly by?: string }, env: NodeJS.ProcessEnv): string =>
  options.by ?? defaultUser(env);

/** A cluster's name as it was typed. @throws ClientError usage. */
export const clusterName = (typed: string): string => {
  const schema: z.ZodType<{ cluster: string }> = startInput.pick({ cluster: true });
  return parseInput(schema, { cluster: typed }).cluster;
};
