/**
 * HAProxy by its runtime socket. What is to be done goes over standard input, so the command that runs as root is the same
 * for everything; its sudoers entry opens the socket, and nothing else.
 */
import { LARGE_OUTPUT_LIMIT_BYTES, permanent, transient, type ExecResult, type Host } from '../kit';
import { quoteCommand, sudoersCommand } from '../ssh';
import type { AdminState, LoadBalancer, ServerId, ServerState } from './driver';
import { parseServers } from './haproxy-format';
import type { Instance } from './spec';

/** HAProxy closes the connection after its answer; this long it may take from the end of our input on. */
const ANSWER_TIMEOUT_S = 10;

const CLIENTS: Readonly<Record<Instance['client'], (socket: string) => string[]>> = {
  socat: (socket) => ['/usr/bin/socat', '-t', String(ANSWER_TIMEOUT_S), 'STDIO', `UNIX-CONNECT:${socket}`],
  // -N: the end of our input is passed on, as HAProxy waits for it.
  nc: (socket) => ['/usr/bin/nc', '-N', '-w', String(ANSWER_TIMEOUT_S), '-U', socket],
};

const clientArgv = ({ client, socket }: Instance): string[] => CLIENTS[client](socket);
const setText = ({ backend, server }: ServerId, state: AdminState): string =>
  `set server ${backend}/${server} state ${state}`;

export class Haproxy implements LoadBalancer {
  async servers(host: Host, instance: Instance): Promise<ServerState[]> {
    const state = await this.#ask(host, instance, 'show servers state');
    const stat = await this.#ask(host, instance, 'show stat');
    const servers = parseServers(state, stat);
    if (servers !== undefined) return servers;
    const said = (/^# /m.test(state) ? stat : state).trim().slice(0, 300);
    throw refused(host, instance, 'show servers state', said);
  }

  async set(host: Host, instance: Instance, server: ServerId, state: AdminState): Promise<void> {
    const text = setText(server, state);
    const said = (await this.#ask(host, instance, text)).trim();
    // It answers with an empty line, or says what is wrong.
    if (said !== '') throw refused(host, instance, text, said);
  }

  setCommand(instance: Instance, server: ServerId, state: AdminState): string {
    return `echo ${quoteCommand([setText(server, state)])} | sudo ${quoteCommand(clientArgv(instance))}`;
  }

  sudo(instance: Instance): string[] {
    return [sudoersCommand(clientArgv(instance))];
  }

  async #ask(host: Host, instance: Instance, text: string): Promise<string> {
    const result = await host.exec(clientArgv(instance), {
      sudo: true,
      stdin: `${text}\n`,
      okCodes: 'any',
      outputLimitBytes: LARGE_OUTPUT_LIMIT_BYTES,
    });
    if (result.code === 0) return result.stdout;
    throw silent(host, instance, result);
  }
}

function silent(host: Host, { client, socket }: Instance, { code, stderr }: ExecResult): Error {
  const why = stderr.trim() || `exit code ${code}`;
  if (code === 127 || /command not found/.test(stderr))
    return permanent(
      'CommandFailed',
      `${host.name}: ${client} isn’t installed (${why}). The load balancer was not touched. Next: install it, or set loadBalancer.instances[].client.`,
      { host: host.name, client },
    );
  return transient(
    'CommandFailedRetryable',
    `${host.name}: HAProxy doesn’t answer on ${socket}: ${why}. Its servers are as they were. Next: \`systemctl status haproxy\` there; the socket must be in its configuration (stats socket … level admin).`,
    { host: host.name, socket, code },
  );
}

const refused = (host: Host, { socket }: Instance, text: string, said: string): Error =>
  permanent(
    'CommandFailed',
    `${host.name}: HAProxy answered "${text}" with: ${said === '' ? 'nothing' : said}. ${/ermission denied/.test(said) ? `Next: ${socket} needs \`level admin\` in HAProxy’s configuration` : 'Next: compare loadBalancer.servers in the inventory with HAProxy’s configuration'}.`,
    { host: host.name, socket, said },
  );
