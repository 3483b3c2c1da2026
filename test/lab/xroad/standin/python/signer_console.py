"""signer-console: list-tokens, login-token 0 (the PIN is asked for), logout-token 0; as user xroad."""
import getpass
import sys

import common

# The real one waits so long for a signer that is down (signer.client-timeout) before it says so.
PATIENCE_S = 60


def main(arguments):
    verb = arguments[0] if arguments else ""
    if verb == "list-tokens":
        state = "active" if common.ask_signer({"op": "status"}, PATIENCE_S)["loggedIn"] else "inactive"
        print(f"Token: 0 (OK, writable, available, {state})")
        # Nobody ever initialised it: it is listed all the same, and holds no key.
        print("Token: spare slot (2) (NOT_INITIALIZED, writable, available, inactive)")
        return
    if verb not in ("login-token", "logout-token") or arguments[1:] != ["0"]:
        common.fail("usage: signer-console list-tokens | login-token 0 | logout-token 0")
    request = {"op": "logout"}
    if verb == "login-token":
        pin = getpass.getpass("PIN: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        request = {"op": "login", "pin": pin}
    reply = common.ask_signer(request, 0)
    if "error" in reply:
        common.fail(f"ERROR: {reply['error']}")


main(sys.argv[1:])
