"""What the stand-ins of X-Road's services share. They behave towards an orchestrator as the real ones do (health,
maintenance, start and stop, databases, token); what passes through them isn't X-Road's message protocol."""
import configparser
import json
import os
import re
import signal
import socket
import sys
import threading
import time

CONF = "/etc/xroad/conf.d"
SIGNER_PORT = 5560
TOKEN_STATE = "/run/xroad/token-logged-in"  # lost at a reboot, kept over restarts, as the real one's shared memory


def version_of(package):
    """Version of an installed package as (major, minor): what the code of this process is."""
    with open(f"/usr/share/xroad/versions/{package}") as file:
        text = file.read().strip()
    return text, tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", text).groups())


def read_ini():
    """proxy.ini of the package, overridden by local.ini of the administrator."""
    ini = configparser.ConfigParser(strict=False, interpolation=None)
    ini.read([f"{CONF}/proxy.ini", f"{CONF}/local.ini"])
    return ini


def node_type():
    """master, slave or standalone; anything unknown is standalone."""
    ini = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        ini.read(f"{CONF}/node.ini")
        found = ini.get("node", "type", fallback="standalone").strip().lower()
    except (configparser.Error, OSError):
        return "standalone"
    return found if found in ("master", "slave") else "standalone"


def properties(path):
    """key = value lines (Java properties, as crudini writes them)."""
    values = {}
    with open(path) as file:
        for line in file:
            key, separator, value = line.partition("=")
            if separator and not line.startswith("#"):
                values[key.strip()] = value.strip()
    return values


class Log:
    def __init__(self, name):
        self.file = open(f"/var/log/xroad/{name}", "a", buffering=1)

    def __call__(self, text):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S") + f".{int(time.time() * 1000) % 1000:03d}"
        self.file.write(f"{stamp} {text}\n")


def die_at_sigterm():
    """Not graceful: what is in flight is lost; 143 is 128 + SIGTERM, as a JVM ends."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))


def ask_signer(request, patience):
    """One question to the signer. Waits for one that is down, as a gRPC call does, up to `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            with socket.create_connection(("127.0.0.1", SIGNER_PORT), timeout=2) as connection:
                connection.sendall((json.dumps(request) + "\n").encode())
                return json.loads(connection.makefile().readline())
        except (OSError, ValueError):
            if time.monotonic() >= until:
                raise
            time.sleep(0.2)


def daemon(target):
    threading.Thread(target=target, daemon=True).start()


def forever():
    while True:
        time.sleep(3600)


def log_of(role):
    return Log({"confclient": "configuration_client.log"}.get(role, f"{role.replace('-', '_')}.log"))


def fail(text):
    sys.stderr.write(text + "\n")
    sys.exit(1)
