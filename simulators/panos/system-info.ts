/** `show system info` (facts §5, §10). */
import type { SimulatedDevice } from './device';
import { dateLineText, uptimeText } from './time';
import { leaf, node } from './xml';

export function systemInfoXml({ own, options, software, content, events, power }: SimulatedDevice): string {
  const virtual = options.model === 'PA-VM';
  return node(
    'system',
    leaf('hostname', own.name),
    leaf('ip-address', own.address),
    leaf('public-ip-address', 'unknown'),
    leaf('netmask', '255.255.255.0'),
    leaf('default-gateway', '192.0.2.1'),
    leaf('is-dhcp', 'no'),
    leaf('ipv6-address', 'unknown'),
    leaf('mac-address', `02:00:5e:0a:00:0${own.deviceId + 1}`),
    leaf('time', `${dateLineText(events.now)}\n`),
    leaf('uptime', uptimeText(events.now - power.bootedAt)),
    leaf('devicename', own.name),
    leaf('family', virtual ? 'vm' : options.model.replace(/^PA-(\d+)\d\d$/, '$100')),
    leaf('model', options.model),
    leaf('serial', own.serial),
    virtual ? leaf('vm-license', 'VM-300') + leaf('vm-mode', 'KVM') : '',
    leaf('sw-version', software.running),
    leaf('global-protect-client-package-version', '0.0.0'),
    leaf('app-version', content.current),
    leaf('app-release-date', '2023/06/14 21:12:29 UTC'),
    leaf('av-version', 0),
    leaf('threat-version', content.current),
    leaf('threat-release-date', '2023/06/14 21:12:29 UTC'),
    leaf('wildfire-version', 0),
    leaf('url-filtering-version', '0000.00.00.000'),
    leaf('logdb-version', '10.2.1'),
    leaf('platform-family', virtual ? 'vm' : options.model.replace(/^PA-(\d+)\d\d$/, '$100')),
    leaf('vpn-disable-mode', 'off'),
    leaf('multi-vsys', 'off'),
    leaf('operational-mode', 'normal'),
    leaf('advanced-routing', options.advancedRouting ? 'on' : 'off'),
    leaf('device-certificate-status', 'Valid'),
  );
}
