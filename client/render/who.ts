/** Who may answer a question. Pure. */
import type { OpeningView } from '../../workflows/contract';
import { printable } from './text';

/** `alice, bob, carol, not the requester (alice)`; a policy that names nobody means anyone. */
export function whoMay({ from, notRequester }: OpeningView, requestedBy?: string): string {
  const names = from === undefined ? 'anyone' : from.join(', ');
  if (notRequester !== true) return printable(names);
  return printable(`${names}, not the requester${requestedBy === undefined ? '' : ` (${requestedBy})`}`);
}
