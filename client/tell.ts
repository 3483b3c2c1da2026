/** What happens in a run, as lines for whoever follows it without a screen: each thing once. */
import type { Session } from './context';
import type { ClientError } from './exit';
import { changes } from './render/changes';
import { silenceLine } from './render/run';
import { time } from './render/text';
import type { RunState } from './run';
import type { StatusView } from '../workflows/contract';

export interface Teller {
  /** To be called with every look at the run. */
  readonly onState: (state: RunState) => void;
  /** To be called with every look that failed. */
  readonly onTrouble: (trouble: ClientError) => void;
}

export interface TellerOptions {
  /** Tells what is there at the first look, in place of lines that call everything new. */
  readonly first?: (state: RunState) => void;
  /** Only what keeps us from seeing the run. */
  readonly onlyTrouble?: boolean;
}

export function teller(session: Session, { first, onlyTrouble = false }: TellerOptions = {}): Teller {
  let before: StatusView | undefined;
  let isFirst = first !== undefined;
  /** What keeps us from seeing the run; "" if nothing does. */
  let trouble = '';
  const note = (text: string): void => session.note(`${clock(session)} ${text}`);
  return {
    onState: (state) => {
      const { status, server } = state;
      if (isFirst) first?.(state);
      else if (status !== undefined && !onlyTrouble)
        for (const line of changes(before, status)) session.emit(`${clock(session)} ${line}`, status);
      const now = server?.silence ?? '';
      if (server !== undefined && now !== trouble && !isFirst) note(`${silenceLine(server)}; looking on`);
      if (now === '' && trouble !== '') note('it answers again');
      trouble = now;
      isFirst = false;
      before = status ?? before;
    },
    onTrouble: ({ message }) => {
      if (trouble !== 'server') note(`${message}; looking on, the run doesn't need us`);
      trouble = 'server';
    },
  };
}

const clock = ({ io }: Session): string => time(new Date(io.now()).toISOString()).slice(11);
