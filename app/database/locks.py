"""Locks that writers of different rows share until their transactions end."""

import hashlib

from sqlalchemy import Connection, text


def lock_until_commit(connection: Connection, name: str) -> None:
    """Let only one transaction at a time pass with this name, inside a write transaction.

    On SQLite writers are alone already. On PostgreSQL this takes an advisory lock (postgresql.org, 13.3.5);
    what the transaction reads afterwards, others with the same name have committed. Take it late: two
    transactions that wait for each other's rows and for this lock are a deadlock, which ends one of them.
    """
    if connection.dialect.name != "postgresql":
        return
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": key})
