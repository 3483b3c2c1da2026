import type { PairPlan, RouterPlan } from './plan';

/**
 * /etc/conntrackd/conntrackd.conf of a firewall (conntrackd.conf(5); facts/firewall-pair §5, §6). A firewall's own sessions
 * (BGP, SSH, the synchronisation itself) must not be copied to the other one: all its addresses are ignored.
 */
export function renderConntrackd(plan: PairPlan, firewall: RouterPlan, management: string): string {
  const index = plan.options.names.firewalls.indexOf(firewall.name);
  const own = plan.sync.addresses[index];
  const other = plan.sync.addresses[1 - index];
  const addresses = firewall.interfaces.flatMap((each) => each.addresses.map((address) => address.split('/')[0]));
  // A session's other end is enough to know it by, and the peers' addresses are those of the links.
  const ignored = ['127.0.0.1', management, ...addresses];
  const mode =
    plan.options.stateSync === 'direct' ? ['		DisableExternalCache on', '		StartupResync yes'] : ['		StartupResync yes'];
  return `Sync {
	Mode FTFW {
${mode.join('\n')}
	}
	UDP {
		IPv4_address ${own}
		IPv4_Destination_Address ${other}
		Port 3780
		Interface ${plan.sync.interface}
		SndSocketBuffer 1249280
		RcvSocketBuffer 1249280
		Checksum on
	}
}
General {
	Systemd on
	HashSize 32768
	HashLimit 131072
	LogFile off
	Syslog on
	LockFile /var/lock/conntrackd.lock
	UNIX {
		Path /var/run/conntrackd.sock
	}
	NetlinkBufferSize 2097152
	NetlinkBufferSizeMaxGrowth 8388608
	NetlinkOverrunResync Off
	Filter From Userspace {
		Protocol Accept {
			TCP
			UDP
		}
		Address Ignore {
${ignored.map((address) => `			IPv4_address ${address}`).join('\n')}
		}
	}
}
`;
}
