"""Runs Palo Alto Networks' own clients against a device: one JSON request a line on stdin, one JSON answer a line on stdout.

An answer is {"value": ...} or {"exception": "Type: message"}. Started and spoken to by driver.ts.
"""

import json
import sys

from panos.firewall import Firewall
from panos_upgrade_assurance.check_firewall import CheckFirewall
from panos_upgrade_assurance.firewall_proxy import FirewallProxy
from panos_upgrade_assurance.snapshot_compare import SnapshotCompare


def firewall(device):
    return Firewall(
        hostname=device["address"],
        port=device["port"],
        api_username=device["user"],
        api_password=device["password"],
    )


def checks_of(device):
    # The locale that the constructor forces isn't on every machine.
    return CheckFirewall(FirewallProxy(firewall(device)), skip_force_locale=True)


def each(run, configuration):
    """One by one, for an exception in one would end all the others."""
    results = {}
    for item in configuration:
        name = item if isinstance(item, str) else next(iter(item))
        try:
            results[name] = run([item])[name]
        except Exception as error:
            results[name] = {"exception": f"{type(error).__name__}: {error}"}
    return results


def names(request):
    """What the package has, so that a check that is new to us isn't left out."""
    checks = checks_of(request["device"])
    return {
        "checks": sorted(checks._check_method_mapping),
        "health": sorted(checks._health_check_method_mapping),
        "snapshots": sorted(checks._snapshot_method_mapping),
    }


def version_of(device):
    device.refresh_system_info()
    return device.version


def ha_state(device):
    state, reply = device.show_highavailability_state()
    return [state, reply.findtext("result/group/peer-info/state")]


def software(device):
    device.software.check()
    return {version: entry["downloaded"] for version, entry in device.software.versions.items()}


def content(device):
    device.content.check()
    return sorted(device.content.versions)


def set_config(device, xpath, element):
    device.xapi.set(xpath, element)
    return True


DEVICE = {
    "keygen": lambda device: device.api_key,
    "version": version_of,
    "ha-state": ha_state,
    "config-sync-state": lambda device: device.config_sync_state(),
    "op": lambda device, command: device.op(command, xml=True).decode(),
    "pending": lambda device: device.pending_changes(),
    "set": set_config,
    "commit": lambda device: device.commit(sync=True),
    "config-locked": lambda device: device.check_config_locks(),
    "software": software,
    "content": content,
    "download": lambda device, version: device.software.download(version, sync_to_peer=True, sync=True),
    "install": lambda device, version: device.software.install(version, sync=True),
    "restart": lambda device: device.restart(),
    "ready": lambda device: device.is_ready(seconds=0),
}

REQUESTS = {
    "names": names,
    "readiness": lambda r: each(checks_of(r["device"]).run_readiness_checks, r["checks"]),
    "health": lambda r: each(checks_of(r["device"]).run_health_checks, r["checks"]),
    "snapshots": lambda r: each(checks_of(r["device"]).run_snapshots, r["snapshots"]),
    "compare": lambda r: SnapshotCompare(r["left"], r["right"]).compare_snapshots(r["reports"]),
    "device": lambda r: DEVICE[r["call"]](firewall(r["device"]), *r.get("with", [])),
}


def answer(line):
    request = json.loads(line)
    try:
        return {"value": REQUESTS[request["do"]](request)}
    except Exception as error:
        return {"exception": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    print(json.dumps(answer(line), default=str), flush=True)
