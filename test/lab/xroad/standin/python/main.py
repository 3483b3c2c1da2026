"""python3 main.py ROLE: one of the services."""
import sys

import common
import others


def main(role):
    if role == "proxy":
        import proxy

        proxy.run()
    elif role == "signer":
        import signer

        signer.run()
    elif role == "confclient":
        others.confclient()
    elif role == "proxy-ui-api":
        others.ui_api()
    elif role in ("monitor", "addon-messagelog"):
        others.idle(f"xroad-{role}")()
    else:
        common.fail(f"there is no service {role}")


main(sys.argv[1])
