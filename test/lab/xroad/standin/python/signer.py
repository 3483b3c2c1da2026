"""xroad-signer: says whether the software token is logged in, and logs it in and out."""
import hashlib
import json
import os
import re
import socketserver
import time

import common

PIN_HASH = "/etc/xroad/signer/softtoken/pin.sha256"
AUTOLOGIN = "/etc/xroad/autologin"
KEYCONF = "/etc/xroad/signer/keyconf.xml"
CODE = common.version_of("xroad-signer")  # what this process is, whatever is installed meanwhile


def logged_in():
    return os.path.exists(common.TOKEN_STATE)


def log_in(pin):
    with open(PIN_HASH) as file:
        wanted = file.read().strip()
    if hashlib.sha256(pin.encode()).hexdigest() != wanted:
        return {"error": "PIN incorrect"}
    open(common.TOKEN_STATE, "w").close()
    return {"ok": True}


def keyconf_format():
    """(major, minor) of the release that wrote keyconf.xml; 0.0 before the first start."""
    with open(KEYCONF) as file:
        found = re.search(r'format="(\d+)\.(\d+)"', file.read())
    return tuple(int(part) for part in found.groups()) if found else (0, 0)


def upgrade_keyconf(code):
    """A new release writes its own format; on a secondary the file comes from the primary and is never written."""
    if common.node_type() == "slave" or keyconf_format() >= code:
        return
    with open(KEYCONF + ".tmp", "w") as file:
        file.write(f'<keyConf format="{code[0]}.{code[1]}"><device><id>0</id></device></keyConf>\n')
    os.chmod(KEYCONF + ".tmp", 0o640)
    os.replace(KEYCONF + ".tmp", KEYCONF)


def keyconf_fault():
    """The tripwire: keyconf.xml is followed as it changes, and one that a newer release wrote can't be read."""
    text, code = CODE
    found = keyconf_format()
    if found > code:
        return f"keyconf.xml has format {found[0]}.{found[1]}, newer than {text}"
    return None


def answer(request):
    operation = request.get("op")
    if operation in ("auth-key", "ocsp", "sign"):
        fault = keyconf_fault()
        if fault is not None:
            return {"error": fault}
    if operation == "login":
        return log_in(request.get("pin", ""))
    if operation == "logout":
        if logged_in():
            os.remove(common.TOKEN_STATE)
        return {"ok": True}
    return {"loggedIn": logged_in()}


class Handler(socketserver.StreamRequestHandler):
    timeout = 5

    def handle(self):
        try:
            reply = answer(json.loads(self.rfile.readline()))
        except (OSError, ValueError) as error:
            reply = {"error": str(error)}
        try:
            self.wfile.write((json.dumps(reply) + "\n").encode())
        except OSError:
            pass  # whoever asked has gone


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def run():
    common.die_at_sigterm()
    log = common.Log("signer.log")
    upgrade_keyconf(CODE[1])
    server = Server(("127.0.0.1", common.SIGNER_PORT), Handler)
    log(f"Signer {CODE[0]} started, token logged in: {logged_in()}")

    def autologin():
        time.sleep(3)
        if not os.path.exists(AUTOLOGIN) or logged_in():
            return
        with open(AUTOLOGIN) as file:
            log(f"autologin: {log_in(file.read().strip())}")

    common.daemon(autologin)
    server.serve_forever()
