/** The workflow code as the sandbox runs it. Bundled once per process: several workers and the replay share it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';

/** In a checkout under test the sources are TypeScript, once built they are JavaScript; the bundler takes both. */
const source = (path: string): string => {
  const base = join(__dirname, '..', path);
  return ['.ts', '.js'].map((ending) => base + ending).find((file) => existsSync(file)) ?? base;
};

export const workflowsPath = source('workflows/index');
export const payloadConverterPath = source('worker/payload-converter');
/** Sees reserved signal names and resets before the SDK does: part of every bundle that has these workflows. */
export const interceptorsPath = source('workflows/procedure/interceptors');

let bundle: Promise<WorkflowBundle> | undefined;

export const workflowBundle = (): Promise<WorkflowBundle> =>
  (bundle ??= bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath,
    workflowInterceptorModules: [interceptorsPath],
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error },
  }));
