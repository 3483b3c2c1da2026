"""The services that are there, are started and stopped, and have little else to do with an upgrade."""
import http.server
import json
import os
import time

import common


def confclient():
    """Keeps the global configuration fresh, which expires when it isn't."""
    common.die_at_sigterm()
    log = common.log_of("confclient")
    log(f"Configuration client {common.version_of('xroad-confclient')[0]} started")
    os.makedirs("/etc/xroad/globalconf", exist_ok=True)
    while True:
        with open("/etc/xroad/globalconf/expires.tmp", "w") as file:
            file.write(str(time.time() + 600))
        os.replace("/etc/xroad/globalconf/expires.tmp", "/etc/xroad/globalconf/expires")
        time.sleep(60)


def idle(package):
    def run():
        common.die_at_sigterm()
        common.log_of(package.removeprefix("xroad-"))(f"{package} {common.version_of(package)[0]} started")
        common.forever()

    return run


class Api(http.server.BaseHTTPRequestHandler):
    """Of the management REST API: the node's type, and logging in to the token."""

    def do_GET(self):
        names = {"master": "PRIMARY", "slave": "SECONDARY"}
        if self.path == "/api/v1/system/node-type":
            self.reply(200, {"node_type": names.get(common.node_type(), "STANDALONE")})
        else:
            self.reply(404, {"status": 404})

    def do_PUT(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0") or 0))
        if self.path != "/api/v1/tokens/0/login":
            return self.reply(404, {"status": 404})
        try:
            answer = common.ask_signer({"op": "login", "pin": json.loads(body)["password"]}, 0)
        except (OSError, ValueError, KeyError) as error:
            return self.reply(500, {"status": 500, "error": {"code": str(error)}})
        if "error" in answer:
            return self.reply(400, {"status": 400, "error": {"code": "pin_incorrect"}})
        return self.reply(200, {"id": "0", "logged_in": True})

    def reply(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def ui_api():
    common.die_at_sigterm()
    common.log_of("proxy-ui-api")(f"Proxy UI API {common.version_of('xroad-proxy-ui-api')[0]} started")
    http.server.ThreadingHTTPServer(("0.0.0.0", 4000), Api).serve_forever()
