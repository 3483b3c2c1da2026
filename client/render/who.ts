/** Who may answer a question. Pure. */
import type { OpeningView } from '../../workflows/contract';
import { printable } from './text';

/** `alice, bob, carol, not the requester (alice)`; a policy that names nobody means anyone. */
export const whoMay = ({ from, notFrom }: OpeningView): string =>
  printable(
    `${from === undefined ? 'anyone' : from.join(', ')}${notFrom === undefined ? '' : `, not the requester (${notFrom})`}`,
  );
