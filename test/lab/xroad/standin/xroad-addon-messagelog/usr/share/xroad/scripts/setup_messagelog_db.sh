#!/bin/bash
# The message log is each node's own: it is migrated on every node (facts/x-road.md 5.4).
. /usr/share/xroad/scripts/_setup_db.sh
setup_database messagelog "${1:-127.0.0.1:5432}"
