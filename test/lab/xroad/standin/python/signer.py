"""xroad-signer: says whether the software token is logged in, and logs it in and out."""
import hashlib
import json
import os
import socketserver
import time

import common

PIN_HASH = "/etc/xroad/signer/softtoken/pin.sha256"
AUTOLOGIN = "/etc/xroad/autologin"


def logged_in():
    return os.path.exists(common.TOKEN_STATE)


def log_in(pin):
    with open(PIN_HASH) as file:
        wanted = file.read().strip()
    if hashlib.sha256(pin.encode()).hexdigest() != wanted:
        return {"error": "PIN incorrect"}
    open(common.TOKEN_STATE, "w").close()
    return {"ok": True}


def answer(request):
    operation = request.get("op")
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
    server = Server(("127.0.0.1", common.SIGNER_PORT), Handler)
    log(f"Signer {common.version_of('xroad-signer')[0]} started, token logged in: {logged_in()}")

    def autologin():
        time.sleep(3)
        if not os.path.exists(AUTOLOGIN) or logged_in():
            return
        with open(AUTOLOGIN) as file:
            log(f"autologin: {log_in(file.read().strip())}")

    common.daemon(autologin)
    server.serve_forever()
