import type { AnyAuthMethod } from 'ssh2';
import type { Login } from './secrets';

/** Progress of one login. `tried` is what people are told: references, never secrets. */
export interface LoginState {
  left: Login[];
  tried: string[];
  /** The host has refused everything there was. */
  refused: boolean;
}

/**
 * What to try next, given the methods that the host would accept now (null before the first answer). Credentials are
 * offered one by one in the order of the inventory; one whose method isn't accepted isn't sent at all.
 * Returns false when nothing is left.
 */
export function nextLogin(
  state: LoginState,
  username: string,
  methods: readonly string[] | null,
  partial: boolean,
): AnyAuthMethod | false {
  // The first request tells which methods there are; sshd doesn't count it as a failure.
  if (methods === null) return { type: 'none', username };
  if (partial) state.tried.push('accepted, but the host wants one more factor');
  for (let login = state.left.shift(); login !== undefined; login = state.left.shift()) {
    const method = methodFor(login, methods);
    if (method === undefined) {
      state.tried.push(`${login.label} (not sent, for the host accepts only ${methods.join(', ')})`);
      continue;
    }
    state.tried.push(login.label);
    return offer(login, method, username);
  }
  state.refused = true;
  return false;
}

function methodFor(login: Login, methods: readonly string[]): string | undefined {
  const fitting = login.kind === 'password' ? ['password', 'keyboard-interactive'] : ['publickey'];
  return fitting.find((m) => methods.includes(m));
}

function offer(login: Login, method: string, username: string): AnyAuthMethod {
  switch (login.kind) {
    case 'key':
      return { type: 'publickey', username, key: login.key };
    case 'agent':
      return { type: 'agent', username, agent: login.socket };
    case 'password':
      if (method === 'password') return { type: 'password', username, password: login.password };
      return {
        type: 'keyboard-interactive',
        username,
        // The password answers the one hidden question; a one-time code isn't ours to give.
        prompt: (_name, _instructions, _lang, prompts, finish) =>
          finish(prompts.length === 1 && prompts[0]?.echo !== true ? [login.password] : prompts.map(() => '')),
      };
  }
}
