import { Option, type Command } from 'commander';
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

/** How an X-Road cluster is upgraded; other kinds refuse it. */
export const withMode = (command: Command): Command =>
  command.addOption(
    new Option('--mode <mode>', 'of an X-Road cluster: all nodes at once in an outage, or one by one').choices(
      startInput.shape.mode.unwrap().options,
    ),
  );

export interface ModeOptions {
  readonly mode?: 'rolling' | 'offline';
}

export const modeOf = ({ mode }: ModeOptions): ModeOptions => (mode === undefined ? {} : { mode });

export const withPerson = (command: Command): Command =>
  command.option('--by <name>', 'who says so; $HITLESS_USER, or else the user of this system');

export const personOf = (options: { readonly by?: string }, env: NodeJS.ProcessEnv): string =>
  options.by ?? defaultUser(env);

/** A cluster's name as it was typed. @throws ClientError usage. */
export const clusterName = (typed: string): string => {
  const schema: z.ZodType<{ cluster: string }> = startInput.pick({ cluster: true });
  return parseInput(schema, { cluster: typed }).cluster;
};
