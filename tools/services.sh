#!/bin/sh
# Puts in place what the tests need beside Python: Chromium, PostgreSQL and Redis, where the system's package
# manager can install them. What cannot be had is left out; its tests then say so.
set -u

have() { command -v "$1" >/dev/null 2>&1; }

root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo && sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}

browser() { have chromium || have chromium-browser || have google-chrome || [ -d "/Applications/Chromium.app" ] || [ -d "/Applications/Google Chrome.app" ]; }

missing=""
browser || missing="$missing chromium"
have psql || missing="$missing postgresql"
have redis-server || missing="$missing redis"

if [ -n "$missing" ]; then
    echo "Installing for the tests:$missing"
    if have apt-get; then
        packages=$(echo "$missing" | sed 's/redis/redis-server/')
        root apt-get install -y -qq --no-install-recommends $packages >/dev/null 2>&1 || {
            root apt-get update -qq >/dev/null 2>&1 && root apt-get install -y -qq --no-install-recommends $packages >/dev/null 2>&1
        } || echo "Not installed; tests that need them are skipped."
    elif have brew; then
        for name in $missing; do
            case $name in
                chromium) brew install --quiet --cask chromium ;;
                *) brew install --quiet "$name" ;;
            esac || echo "Not installed: $name"
        done
    fi
fi

# Start what is installed and does not answer yet.
port_open() { python - "$1" <<'PY'
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()
except OSError:
    sys.exit(1)
PY
}

if have redis-server && ! port_open 6379; then
    redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save "" --appendonly no >/dev/null
fi

if have psql && ! port_open 5432; then
    if have pg_ctlcluster; then
        root pg_ctlcluster "$(ls /etc/postgresql | sort -n | tail -n 1)" main start || true
    elif have brew; then
        brew services start --quiet postgresql || true
    fi
fi
exit 0
