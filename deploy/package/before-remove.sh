#!/bin/sh
set -e
# Before a newer version comes, the server goes on. dpkg says remove or upgrade, and rpm how many versions stay.
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now muster.service
	fi
	;;
esac
