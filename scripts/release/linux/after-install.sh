#!/bin/sh
# Creates the user of the unit, and restarts a running spanring after an upgrade.
set -e
if command -v systemd-sysusers >/dev/null 2>&1; then
  systemd-sysusers ${DPKG_ROOT:+--root="$DPKG_ROOT"} spanring.conf
fi
if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart spanring.service
fi
