#!/bin/sh
# Runs every test and prints coverage of app/ (branches included); fails under 95 %.
set -eu

# Tests connect as the user `postgres`; where a fresh cluster only lets that user in by its own account, a
# role of the current user is made and used instead.
if [ -z "${TEST_POSTGRESQL_URL:-}" ] && command -v psql >/dev/null 2>&1; then
    if ! psql -qtA "postgresql://postgres@127.0.0.1:5432/postgres" -c "select 1" >/dev/null 2>&1; then
        me=$(id -un)
        if command -v runuser >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
            runuser -u postgres -- createuser --superuser "$me" 2>/dev/null || true
        elif command -v sudo >/dev/null 2>&1; then
            sudo -n -u postgres createuser --superuser "$me" 2>/dev/null || true
        fi
        for url in "postgresql:///postgres?host=/var/run/postgresql" "postgresql:///postgres?host=/tmp"; do
            if psql -qtA "$url" -c "select 1" >/dev/null 2>&1; then
                export TEST_POSTGRESQL_URL="$url"
                break
            fi
        done
    fi
fi

rm -f .coverage .coverage.*
coverage run --rcfile=setup.cfg -m pytest -n 2 --dist worksteal "$@"
coverage combine --rcfile=setup.cfg --quiet
coverage report --rcfile=setup.cfg --fail-under=95
