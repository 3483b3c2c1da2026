import { adminState, parseServers } from '../../../activities/load-balancer/haproxy-format';

/** As HAProxy 2.6 of Debian 12 prints it (shortened to the columns up to those that count, which are found by name). */
const STATE = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
3 messages 1 ss1 192.0.2.11 2 0 1 1 12 15 3 4 6 0 0 0 - 5500 - 0 5588 - - 0
3 messages 2 ss2 192.0.2.12 2 8 1 1 3 15 3 4 6 0 0 0 - 5500 - 0 5588 - - 0
4 ocsp 1 ss1 192.0.2.11 0 0 1 1 12 8 2 0 6 0 0 0 - 5577 - 0 5588 - - 0
4 ocsp 2 ss2 192.0.2.12 0 1 1 1 12 8 2 0 6 0 0 0 - 5577 - 0 5588 - - 0
`;
const STAT = `# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown
messages,FRONTEND,,,7,9,4096,120,0,0,0,0,0,,,,,OPEN,,,,,
messages,ss1,0,0,5,6,,70,0,0,,0,,0,0,0,0,UP,1,1,0,0,0
messages,ss2,0,0,2,3,,50,0,0,,0,,0,0,0,0,DRAIN,1,1,0,0,0
messages,BACKEND,0,0,7,9,410,120,0,0,0,0,,0,0,0,0,UP,1,1,0,,0
ocsp,ss1,0,0,0,0,,0,0,0,,0,,0,0,0,0,DOWN,1,1,0,2,1
ocsp,ss2,0,0,0,0,,0,0,0,,0,,0,0,0,0,MAINT,1,1,0,2,1
`;

describe('HAProxy’s answers', () => {
  test('servers of all backends, with admin state, health and connections', () => {
    expect(parseServers(STATE, STAT)).toEqual([
      { backend: 'messages', server: 'ss1', admin: 'ready', up: true, checked: true, status: 'UP', sessions: 5 },
      { backend: 'messages', server: 'ss2', admin: 'drain', up: true, checked: true, status: 'DRAIN', sessions: 2 },
      { backend: 'ocsp', server: 'ss1', admin: 'ready', up: false, checked: true, status: 'DOWN', sessions: 0 },
      { backend: 'ocsp', server: 'ss2', admin: 'maint', up: false, checked: true, status: 'MAINT', sessions: 0 },
    ]);
  });

  test.each([
    [0x00, 'ready'],
    [0x01, 'maint'],
    [0x02, 'maint'],
    [0x05, 'maint'],
    [0x08, 'drain'],
    [0x10, 'drain'],
    [0x09, 'maint'],
    [0x20, 'maint'],
  ])('admin state of %d is %s', (bits, state) => {
    expect(adminState(bits)).toBe(state);
  });

  test.each([
    ['Unknown command: ...', STAT],
    [STATE, 'Permission denied\n'],
    ['', ''],
  ])('what isn’t a list is no list of no servers', (state, stat) => {
    expect(parseServers(state, stat)).toBeUndefined();
  });
});
