/** Whether what a run left is a report: results, details and memos of other programs, and of starters, come under the same names. */
import { z } from 'zod';
import type { Report } from '../workflows/contract';

const text = z.string();
const loose = z.looseObject;

/** What is read of a report without a look whether it is there. What newer builds add, and older ones left out, is no fault. */
const report = loose({
  cluster: text,
  target: text,
  ending: z.enum(['Completed', 'RolledBack', 'Stopped', 'Cancelled']),
  sentence: text,
  standing: text,
  planDigest: text,
  startedAt: text,
  endedAt: text,
  nodes: z.record(text, z.record(text, z.union([text, z.number(), z.boolean()]))),
  steps: z.array(loose({ number: z.number(), name: text, state: text })),
  refused: z.array(loose({ at: text, signal: text, why: text })),
  answers: z.array(loose({ at: text, opening: text, by: text, choice: text })),
});

export const isReport = (value: unknown): value is Report => report.safeParse(value).success;
