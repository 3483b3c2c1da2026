/** The health check port of a node, asked by the node itself. Facts §3. */
import { defineCheck, transient, type Finding, type Host } from '../kit';
import { clip } from '../kit/clip';
import { formatDuration } from '../kit/duration';
import { hostOf, type NodeInput, type XroadContext, type XroadPlan, type XroadStatic } from './plan';

export const CURL = '/usr/bin/curl';
/** Three checks of up to 5 s each, one after the other. */
const ANSWER_TIMEOUT_S = 30;

/** What the health port says. */
export type Health =
  | { readonly kind: 'ok' }
  /** Switched on by somebody: no check was made. */
  | { readonly kind: 'maintenance' }
  /** A check failed. The answer may be 30 s old. */
  | { readonly kind: 'failing'; readonly message: string }
  /** Nobody listens: the proxy is down, or has no health port. */
  | { readonly kind: 'refused' }
  /** No answer that can be understood. */
  | { readonly kind: 'silent'; readonly message: string };

/** How much of what was said is passed on. */
const SAID_CHARS = 300;
/** The guide writes it without the final dot, 7.4 with a newline. */
const IN_MAINTENANCE = 'Health check interface is in maintenance mode';

/**
 * Reads what curl --include printed.
 * @param code exit code of curl(1): 7 is a refused connection, 28 a timeout, 52 an empty answer
 */
export function readHealth(code: number, output: string, errors: string): Health {
  if (code === 7) return { kind: 'refused' };
  if (code === 28) return { kind: 'silent', message: `no answer within ${ANSWER_TIMEOUT_S} s` };
  if (code !== 0)
    return { kind: 'silent', message: clip(errors.trim(), SAID_CHARS) || `curl ended with exit code ${code}` };
  const [, status = ''] = /^HTTP\/\S+ (\d{3})/.exec(output) ?? [];
  const body = output
    .split(/\r?\n\r?\n/)
    .slice(1)
    .join('\n\n')
    .trim();
  if (status === '200') return { kind: 'ok' };
  if (status === '503' && body.includes(IN_MAINTENANCE)) return { kind: 'maintenance' };
  return { kind: 'failing', message: body === '' ? `HTTP status ${status || 'missing'}` : clip(body, SAID_CHARS) };
}

export function describeHealth(health: Health, { port }: XroadStatic['xroad']['health']): string {
  switch (health.kind) {
    case 'ok':
      return `healthy (200 on port ${port})`;
    case 'maintenance':
      return 'in maintenance mode';
    case 'failing':
      return `not healthy: ${health.message}`;
    case 'refused':
      return `not listening on its health port ${port}`;
    case 'silent':
      return `silent on its health port ${port}: ${health.message}`;
  }
}

/** What a failing check means for whoever is to mend it. */
export function nextFor(health: Health): string {
  if (health.kind === 'refused')
    return 'is xroad-proxy running, and is [proxy] health-check-port set in /etc/xroad/conf.d/local.ini?';
  if (health.kind === 'maintenance') return 'find out who switched it on; a restart of xroad-proxy ends it';
  if (health.kind !== 'failing') return 'see /var/log/xroad/proxy.log';
  if (needsPin(health)) return 'log the token in on the node (UI, or `signer-console login-token 0` as user xroad)';
  if (/authentication key ocsp|signer/i.test(health.message))
    return 'is xroad-signer running? See /var/log/xroad/signer.log';
  if (/ServerConf|Server Conf|database/.test(health.message))
    return 'see PostgreSQL on port 5433 (pg_lsclusters) and proxy.log';
  if (/Global conf/i.test(health.message))
    return 'is xroad-confclient running? See /var/log/xroad/configuration_client.log';
  return 'see /var/log/xroad/proxy.log';
}

/** What a token that isn't logged in looks like from here. An answer may lag by 5 minutes (facts §3). */
export const needsPin = (health: Health): boolean =>
  health.kind === 'failing' &&
  /No certificate chain available in authentication key|No authentication key available/.test(health.message);

export async function healthOf(plan: Pick<XroadStatic, 'xroad'>, host: Host): Promise<Health> {
  const { address, port } = plan.xroad.health;
  const argv = [
    ...[CURL, '--silent', '--show-error', '--include', '--max-time', String(ANSWER_TIMEOUT_S)],
    `http://${address}:${port}/`,
  ];
  const { code, stdout, stderr } = await host.exec(argv, {
    okCodes: 'any',
    timeoutMs: (ANSWER_TIMEOUT_S + 15) * 1_000,
  });
  return readHealth(code, stdout, stderr);
}

/** Waits until a node answers with 200, again and again for a while. @throws VerifyFailed with what it says instead. */
export async function waitUntilHealthy(context: XroadContext, host: Host, node: string): Promise<void> {
  const { plan } = context;
  const { polls, spanMs, pollIntervalMs, timeoutMs } = plan.xroad.health;
  const began = performance.now();
  let good = 0;
  let since = began;
  for (;;) {
    const health = await healthOf(plan, host);
    const now = performance.now();
    if (health.kind !== 'ok') good = 0;
    else if (good++ === 0) since = now;
    if (good >= polls && now - since >= spanMs) return;
    const seen = describeHealth(health, plan.xroad.health);
    if (now - began >= timeoutMs && good === 0)
      throw transient(
        'VerifyFailed',
        `${node} is ${seen}, ${formatDuration(now - began)} after waiting began. Next: ${nextFor(health)}.`,
        { node, health },
      );
    context.progress(good > 0 ? `${node} is healthy, ${good} answers so far` : `waiting for ${node}: ${seen}`);
    await context.pause(pollIntervalMs);
  }
}

/** The node is healthy, over several answers. */
export const healthy = defineCheck<NodeInput, Finding, XroadPlan>({
  async check(context, { node }) {
    await waitUntilHealthy(context, await hostOf(context, node), node);
    const { polls, spanMs } = context.plan.xroad.health;
    return {
      summary: `${node} is healthy: ${polls} answers or more over ${formatDuration(spanMs)}`,
      nodes: { [node]: { health: 'ok' } },
    };
  },
});
