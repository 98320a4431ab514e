#!/bin/sh
set -e
# A new server is not started: who keeps it says first what it is called, and who founds the ledger. One that runs goes on
# with the new program.
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart muster.service
fi
