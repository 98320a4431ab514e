#!/bin/sh
set -e
# The ledger in /var/lib/muster stays, with the keys beside it, whatever is removed: it is not the package's.
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
