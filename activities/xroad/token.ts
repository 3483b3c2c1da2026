/**
 * Whether the tokens of a node are logged in, so that it can sign. A software token keeps its PIN over restarts of services
 * and loses it at a reboot (facts §2). The PIN is entered on the node by a person, or by xroad-autologin; it is neither
 * asked for nor seen here.
 */
import { defineCheck, permanent, transient, type Finding, type Host } from '../kit';
import { formatDuration } from '../kit/duration';
import { sudoersCommand } from '../ssh';
import { describeHealth, healthOf, needsPin } from './health';
import { XROAD_USER, hostOf, type NodeInput, type XroadContext, type XroadPlan, type XroadStatic } from './plan';
import { isUnused, parseTokens, type Token } from './text';

const listArgv = ({ xroad }: Pick<XroadStatic, 'xroad'>): string[] => [xroad.token.command, 'list-tokens'];

/** The console waits for a signer that is down, for a minute, before it says so; and it is a program of Java's. */
const CONSOLE_TIMEOUT_MS = 90_000;

export interface TokenState {
  /** What the signer said, token by token; undefined if its console isn't there or doesn't answer. */
  readonly tokens: readonly Token[] | undefined;
  /** Why it isn't known. */
  readonly why?: string;
}

export async function tokensOf(plan: Pick<XroadStatic, 'xroad'>, host: Host): Promise<TokenState> {
  const { code, stdout, stderr } = await host.exec(listArgv(plan), {
    ...{ sudo: XROAD_USER, okCodes: 'any', timeoutMs: CONSOLE_TIMEOUT_MS },
  });
  if (code === 0) return { tokens: parseTokens(stdout) };
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return { tokens: undefined, why: said === '' ? `${plan.xroad.token.command} ended with exit code ${code}` : said };
}

export interface TokenResult extends Finding {
  readonly tokens: readonly string[];
}

const describe = ({ id, active, status }: Token): string =>
  `token ${id} is ${active ? 'active' : `not active (${status})`}`;

/**
 * All tokens of a node are logged in. Waits for xroad-autologin for a while.
 * @throws PinNeeded (permanent) naming the tokens: a person has to enter the PIN on the node, then the check is repeated.
 */
export const tokensActive = defineCheck<NodeInput, TokenResult, XroadPlan>({
  async check(context, { node }) {
    const { plan } = context;
    const host = await hostOf(context, node);
    const { waitMs, pollIntervalMs } = plan.xroad.token;
    const until = performance.now() + waitMs;
    for (;;) {
      const { tokens: listed, why } = await tokensOf(plan, host);
      const tokens = listed?.filter((token) => !isUnused(token));
      if (tokens !== undefined && isLoggedIn(plan, node, tokens))
        return {
          summary: `${node} can sign: ${tokens.map(describe).join(', ')}`,
          tokens: tokens.map(describe),
          nodes: { [node]: { token: 'active' } },
        };
      if (performance.now() >= until) throw await notActive(context, host, node, tokens, why);
      context.progress(`waiting for the tokens of ${node}: ${tokens?.map(describe).join(', ') ?? why ?? ''}`);
      await context.pause(pollIntervalMs);
    }
  },
});

/** Those that were logged in when the run began are again; all that are used, where that isn't known. */
function isLoggedIn({ found }: XroadPlan, node: string, tokens: readonly Token[]): boolean {
  const before = found[node]?.tokens;
  if (before === undefined || before.length === 0) return tokens.length > 0 && tokens.every((token) => token.active);
  return before.every((id) => tokens.find((token) => token.id === id)?.active === true);
}

async function notActive(
  context: XroadContext,
  host: Host,
  node: string,
  tokens: readonly Token[] | undefined,
  why: string | undefined,
): Promise<Error> {
  const { xroad } = context.plan;
  const health = await healthOf(context.plan, host);
  if (tokens === undefined && !needsPin(health))
    return transient(
      'VerifyFailed',
      `${node}: it can’t be told whether its tokens are active (${why}); it is ${describeHealth(health, xroad.health)}. Next: is xroad-signer running there? This is tried again.`,
      { node },
    );
  const which =
    tokens === undefined ? describeHealth(health, xroad.health) : tokens.map(describe).join(', ') || 'no token';
  return permanent(
    'PinNeeded',
    `${node} can’t sign: ${which}, ${formatDuration(xroad.token.waitMs)} after waiting began. It is out of service. Next: enter the PIN on ${node} (its UI on port 4000, or \`signer-console login-token ID\` as user xroad), then say so here. Never type the PIN into an answer or a comment.`,
    { node, tokens: tokens ?? [] },
  );
}

export const sudoForToken = (plan: Pick<XroadStatic, 'xroad'>): { as: string; command: string }[] => [
  { as: XROAD_USER, command: sudoersCommand(listArgv(plan)) },
];
