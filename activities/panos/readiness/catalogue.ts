/**
 * Names of all readiness checks, what each asks, and which can't be waived. Names that panos-upgrade-assurance 2.1.1 has
 * are used as it uses them (facts/pan-os.md, section 6). docs/panos-readiness.md is tested against this list.
 */
interface Entry {
  /** What holds if it passes. */
  readonly what: string;
  /** Why it can't be waived; left out where it can be, by name. */
  readonly always?: string;
}

const ENTRIES = {
  // Of panos-upgrade-assurance.
  ha: {
    what: 'The two are one pair: each says the same of it as the other, they are of one model and run one release, one is active and one passive (or active-primary and active-secondary), and every HA link is up.',
    always: 'every guard of the upgrade rests on it',
  },
  jobs: {
    what: 'No job runs or waits on either member that an upgrade collides with: installation, download, commit, content, HA synchronization. Others do no harm.',
    always: 'a second job is refused, or restarts with the device',
  },
  candidate_config: {
    what: 'Neither member has uncommitted changes, nor one that needs a full commit.',
    always: 'the upgrade commits (preemption), and would commit them too',
  },
  config_locks: {
    what: 'Nobody holds a configuration or commit lock.',
    always: 'the upgrade must commit, and an administrator is at work',
  },
  free_disk_space: {
    what: 'There is room for the images on /opt/panrepo, and the images exist.',
    always: 'a download that doesn’t fit fails half-way',
  },
  panorama: { what: 'A member that is managed by Panorama is connected to one.' },
  ntp_sync: { what: 'The clock follows an NTP server.' },
  expired_licenses: { what: 'Licences are there, and none has expired.' },
  active_support: { what: 'The support contract hasn’t ended.' },
  content_version: {
    what: 'Applications and threats content is the latest offered, or at least the one wanted; left out where images are imported, the content is kept and no version is wanted: the update server isn’t asked.',
  },
  session_exist: { what: 'Sessions that are named in the inventory are there on a serving member.' },
  arp_entry_exist: { what: 'ARP entries that are named in the inventory are there on a serving member.' },
  ip_sec_tunnel_status: { what: 'IPSec tunnels that are named in the inventory are active on a serving member.' },
  planes_clock_sync: { what: 'Management plane and dataplanes have the same time.' },
  certificates_requirements: { what: 'Certificates have keys and hashes that are strong enough.' },
  dynamic_updates: { what: 'No scheduled update begins within the window.' },
  global_jumbo_frame: { what: 'Jumbo frames are on or off on both members alike, and as the inventory wants them.' },
  environmentals: { what: 'No sensor of temperature, fans or power gives an alarm.' },
  dp_cpu_utilization: { what: 'The dataplane’s load is below the limit.' },
  mp_cpu_utilization: { what: 'The management plane’s load is below the limit.' },
  mp_mem_utilization: { what: 'The management plane’s memory is used below the limit.' },
  // Beyond it.
  ha_flaps: {
    what: 'Neither member has flapped as often as max-flaps allows within 15 minutes.',
    always: 'a member that flaps too often is suspended for good',
  },
  ha_state_sync: { what: 'Sessions are synchronized to the other member (state-sync Complete).' },
  ha_config_sync: { what: 'The running configuration is synchronized between the members.' },
  ha_compatibility: { what: 'Content, plugins and licences of the members match each other.' },
  ha1_backup: {
    what: 'HA1 has a backup: a second link or the heartbeat backup. Without one, members that lose HA1 during a boot both become active. Backup links of HA1 and HA2 that are configured are up.',
  },
  bgp_peers: {
    what: 'Every BGP peer of a serving member is Established, with the legacy and the advanced routing engine.',
  },
  panorama_push: {
    what: 'No push from Panorama runs or waits.',
    always: 'it would commit in the middle of the upgrade, to one member or both',
  },
  passive_link_state: {
    what: 'Active/passive: both members have the same passive link state, and it is auto where links or routing must come up fast.',
  },
  passive_pre_negotiation: {
    what: 'Active/passive: LACP and LLDP negotiate on the passive member before it takes over.',
  },
  active_active: {
    what: 'Active/active: the device IDs are 0 and 1.',
    always: 'with the same ID twice, a member becomes non-functional',
  },
  active_active_sync: {
    what: 'Active/active: packet forwarding, virtual router sync and QoS sync are set alike on both members.',
    always: 'a member on which one of them is missing becomes non-functional',
  },
  active_active_capacity: {
    what: 'Active/active: one member can carry the sessions and the dataplane load of both, on average over 15 minutes (`capacityMinutes`).',
  },
  tentative_hold: {
    what: 'Active/active with dynamic routing: the tentative hold time isn’t 0, so that adjacencies form before the member takes packets.',
  },
  dhcp_relay: {
    what: 'Active/active: no DHCP relay, which only the active-primary does and which moves with that role.',
  },
  user_id_agents: {
    what: 'Active/active: no User-ID agents, to which only the active-primary connects and which move with that role.',
  },
  device_id_bindings: {
    what: 'Active/active: nothing is bound to a device ID that the other member doesn’t take over (floating and shared addresses, NAT and PBF rules), and nothing to the active-primary role, with which it would move.',
  },
} as const satisfies Record<string, Entry>;

export type CheckName = keyof typeof ENTRIES;
export const CATALOGUE: Readonly<Record<CheckName, Entry>> = ENTRIES;
export const CHECK_NAMES = Object.keys(ENTRIES) as [CheckName, ...CheckName[]];
export const isWaivable = (name: CheckName): boolean => CATALOGUE[name].always === undefined;
/** Names that an inventory or an approval may leave out. */
export const WAIVABLE = CHECK_NAMES.filter(isWaivable) as [CheckName, ...CheckName[]];
