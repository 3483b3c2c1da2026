import { runGenerator, type Driven, type Stalls } from '../../traffic/loop';
import { Messages } from './messages';
import type { MessageOptions, MessageReport } from './protocol';

/** Information systems and other Security Servers, in the client's network namespace. */
function senderOf(options: MessageOptions, stalls: Stalls): Driven<MessageReport> {
  const messages = new Messages(options, () => stalls.total);
  return {
    open: () => messages.first(),
    tick: (_, elapsedMs) => messages.tick(elapsedMs),
    settle: () => messages.settle(),
    report: () => ({ ...messages.report(), stalledMs: stalls.worst }),
  };
}

if (require.main === module) runGenerator(senderOf);
