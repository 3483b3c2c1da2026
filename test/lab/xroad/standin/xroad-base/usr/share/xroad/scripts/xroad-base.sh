#!/bin/sh
# Where the token's state is kept: gone after a reboot, still there after any restart of a service.
exec install -d -m 750 -o xroad -g xroad /run/xroad
