#!/bin/sh
# Stops spanring when its package is removed, but not when it is upgraded.
set -e
case "${1:-}" in
  upgrade | 1 | failed-upgrade | deconfigure) exit 0 ;;
esac
if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
  systemctl --no-reload disable --now spanring.service
fi
