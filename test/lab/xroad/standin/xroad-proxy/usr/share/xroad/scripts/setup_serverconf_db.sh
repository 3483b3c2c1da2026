#!/bin/bash
. /usr/share/xroad/scripts/_setup_db.sh

node_type=$(crudini --get /etc/xroad/conf.d/node.ini node type 2>/dev/null || echo standalone)
if [[ "$node_type" == slave ]]; then
  log "Skipping database setup on cluster slave node"
  exit 0
fi
setup_database serverconf "${1:-127.0.0.1:5432}"
