"""xroad-proxy: messages, OCSP responder, health check port and admin port, in one process: its state dies with it."""
import asyncio
import glob
import os
import re
import time

import psycopg2

import common
import health
import serverconf
from messages import Messages

AUTH_KEY_SECONDS = 300
GLOBAL_CONF = "/etc/xroad/globalconf/expires"


class Proxy:
    def __init__(self, log):
        self.log = log
        self.version, _ = common.version_of("xroad-proxy")
        numbers = [re.match(r"\d+", os.path.basename(path)) for path in glob.glob(f"{serverconf.CHANGES}/*.sql")]
        self.schema_known = max(int(number.group()) for number in numbers if number)
        self.auth_key_until = 0.0
        self.services = {}
        self.faults = {}  # what stands in the way of messages, by its source

    # The tripwire: code of one release refuses the database schema of a newer one, and one that lacks what it
    # needs, so that steps taken in a wrong order show. (The signer's: keyconf.xml.)

    def schema_fault(self, connection):
        level = serverconf.schema_level(connection)
        if level > self.schema_known:
            return f"serverconf has schema {level}, newer than the {self.schema_known} that {self.version} knows"
        if level < self.schema_known:
            return f"serverconf has schema {level}, and {self.version} needs {self.schema_known}"
        return None

    # Health checks; they run on the checks' own thread. None is good, a string is the body of the answer.

    def check_global_conf(self):
        with open(GLOBAL_CONF) as file:
            expired = float(file.read()) < time.time()
        return "Global configuration is expired" if expired else None

    def check_auth_key(self):
        if time.monotonic() >= self.auth_key_until:
            key = common.ask_signer({"op": "auth-key"}, 6)
            if "error" in key:
                return "No authentication key available. Signer might be down."
            if not key["loggedIn"]:
                return "No certificate chain available in authentication key."
            self.auth_key_until = time.monotonic() + AUTH_KEY_SECONDS
        if "error" in common.ask_signer({"op": "ocsp"}, 6):  # not from the cache
            return "Getting OCSP response for authentication key failed."
        return None

    def check_serverconf(self):
        try:
            connection = serverconf.connect()
        except (psycopg2.Error, OSError, KeyError):
            return "ServerConf is not available"
        try:
            fault = self.schema_fault(connection)
        except psycopg2.Error as error:
            fault = str(error)
        finally:
            connection.close()
        if fault is None:
            return None
        self.log(f"ERROR {fault}")
        return "Server Conf database did not respond as expected"

    def check_memory(self, threshold):
        with open("/proc/meminfo") as file:
            sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in file)}
        used = 100 - 100 * sizes["MemAvailable"] // sizes["MemTotal"]
        return "Memory usage above threshold" if used > threshold else None

    # What messages need is looked at beside them, twice a second.

    def watch(self):
        connection = None
        while True:
            try:
                connection = connection or serverconf.connect()
                self.services = serverconf.services(connection)
                self.note("serverconf", self.schema_fault(connection))
            except (psycopg2.Error, OSError, KeyError) as error:
                connection = None
                if not self.services:  # what was read before stays in use while the database is away
                    self.note("serverconf", f"serverconf can't be read: {error}".strip())
            try:
                signer = common.ask_signer({"op": "sign"}, 0)
                logged_out = None if signer.get("loggedIn") else "the token isn't logged in, nothing can be signed"
                self.note("signer", signer.get("error", logged_out))
            except (OSError, ValueError) as error:
                self.note("signer", f"the signer doesn't answer: {error}")
            time.sleep(0.5)

    def note(self, source, fault):
        if self.faults.get(source) != fault and fault is not None:
            self.log(f"ERROR {fault}")
        self.faults[source] = fault

    def refusal(self):
        if "signer" not in self.faults:
            return "Server.ServerProxy.InternalError: still starting"
        fault = next((fault for fault in self.faults.values() if fault is not None), None)
        return None if fault is None else f"Server.ServerProxy.InternalError: {fault}"


async def main():
    started = time.monotonic()
    log = common.Log("proxy.log")
    proxy = Proxy(log)
    ini = common.read_ini()  # only at start
    log(f"Starting proxy ({proxy.version})...")
    common.daemon(proxy.watch)
    await asyncio.sleep(float(os.environ.get("XROAD_PROXY_START_SECONDS", "0")))

    threshold = ini.getint("proxy", "memory-usage-threshold", fallback=None)
    checks = [
        ("Global conf validity", proxy.check_global_conf),
        ("Authentication key OCSP status", proxy.check_auth_key),
        ("Server conf database status", proxy.check_serverconf),
    ]
    if threshold is not None:
        checks.append(("Proxy memory usage status", lambda: proxy.check_memory(threshold)))
    port = ini.getint("proxy", "health-check-port", fallback=0)
    checker = health.Health(checks) if port else None

    async def healthy(_path, _peer):
        return await checker.reply()

    async def admin(path, peer):
        if peer != "127.0.0.1":
            return health.response("403 Forbidden", "")
        return health.admin_reply(path, checker)

    async def ocsp(_path, _peer):
        return health.response("200 OK", "")

    pooled = ini.getboolean("proxy", "server-support-clients-pooled-connections", fallback=False)
    messages = Messages(f"{os.uname().nodename} {proxy.version}", pooled, proxy.refusal, lambda: proxy.services)
    server, client = common.Log("serverproxy_access.log"), common.Log("clientproxy_access.log")
    listeners = [("0.0.0.0", 5500, messages.handler(server)), ("0.0.0.0", 5577, health.serve(ocsp))]
    for option, default in (("client-http-port", 8080), ("client-https-port", 8443)):
        listeners.append(("0.0.0.0", ini.getint("proxy", option, fallback=default), messages.handler(client)))
    listeners.append(("127.0.0.1", 5566, health.serve(admin)))
    if checker is not None:
        interface = ini.get("proxy", "health-check-interface", fallback="0.0.0.0")
        listeners.append((interface, port, health.serve(healthy)))
    for address, number, handler in listeners:
        await asyncio.start_server(handler, address, number, backlog=512, reuse_address=True)
    log("Started AdminPort on port 5566")
    if checker is not None:
        log(f"Started HealthCheckPort on port {port}")
    log(f"Proxy started in {int((time.monotonic() - started) * 1000)} ms")
    await asyncio.Event().wait()


def run():
    common.die_at_sigterm()
    asyncio.run(main())
