import { nextLogin, type LoginState } from '../../../activities/ssh/login';
import type { Login } from '../../../activities/ssh/secrets';

const key = { kind: 'key', label: 'key file:/k', key: {} } as unknown as Login;
const password: Login = { kind: 'password', label: 'password env:P', password: 'hunter2' };
const agent: Login = { kind: 'agent', label: 'agent env:S', socket: '/s' };
const start = (...left: Login[]): LoginState => ({ left, tried: [], refused: false });

test('asks for the methods first, then goes through the credentials in order', () => {
  const state = start(key, agent, password);
  expect(nextLogin(state, 'u', null, false)).toEqual({ type: 'none', username: 'u' });
  const methods = ['publickey', 'password'];
  expect(nextLogin(state, 'u', methods, false)).toMatchObject({ type: 'publickey' });
  expect(nextLogin(state, 'u', methods, false)).toMatchObject({ type: 'agent', agent: '/s' });
  expect(nextLogin(state, 'u', methods, false)).toMatchObject({ type: 'password', password: 'hunter2' });
  expect(state.refused).toBe(false);
  expect(nextLogin(state, 'u', methods, false)).toBe(false);
  expect(state.refused).toBe(true);
  expect(state.tried.join()).not.toContain('hunter2');
});

test('what the host doesn’t accept isn’t sent', () => {
  const state = start(password, key);
  expect(nextLogin(state, 'u', ['publickey'], false)).toMatchObject({ type: 'publickey' });
  expect(state.tried[0]).toContain('not sent');
});

test('a second factor: after a partial success the next credential follows', () => {
  const state = start(key, password);
  nextLogin(state, 'u', ['publickey'], false);
  expect(nextLogin(state, 'u', ['password'], true)).toMatchObject({ type: 'password' });
});

test('keyboard-interactive: the password answers one hidden question, nothing else', () => {
  const method = nextLogin(start(password), 'u', ['keyboard-interactive'], false);
  if (method === false || method.type !== 'keyboard-interactive') throw new Error('another method');
  const { prompt } = method as unknown as {
    prompt: (
      n: string,
      i: string,
      l: string,
      p: { prompt: string; echo: boolean }[],
      done: (a: string[]) => void,
    ) => void;
  };
  const ask = (...prompts: { prompt: string; echo: boolean }[]): string[] => {
    let given: string[] = [];
    prompt('', '', '', prompts, (answers) => (given = answers));
    return given;
  };
  expect(ask({ prompt: 'Password: ', echo: false })).toEqual(['hunter2']);
  expect(ask({ prompt: 'Name: ', echo: true })).toEqual(['']);
  expect(ask({ prompt: 'Password: ', echo: false }, { prompt: 'Code: ', echo: false })).toEqual(['', '']);
});
