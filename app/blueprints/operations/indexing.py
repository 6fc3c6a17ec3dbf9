"""The worker's thread that keeps up with what came in: the index of words within a second, and the log."""

import logging
import threading
import time

from flask import Flask

from app.database.checkpoint import checkpoint
from app.database.tracking.scope import origin
from app.extensions import db
from app.models import search

log = logging.getLogger("earmark.indexing")
# Looked for so often; what came meanwhile is searched directly.
IDLE_SECONDS = 0.5
# After a fault (a store that is away) it waits longer.
FAULT_SECONDS = 5.0
ROUND_SECONDS = 10.0


def start(app: Flask) -> None:
    """Index in a thread of this process for as long as it lives; what it was at is not lost with it."""
    threading.Thread(target=_keep_up, args=(app,), name="search-index", daemon=True).start()


def _keep_up(app: Flask) -> None:
    while True:
        try:
            with app.app_context(), origin("job index_words"):
                search.catch_up(ROUND_SECONDS)
                checkpoint(db.engine)
        except Exception:
            log.exception("the index of words was not kept up")
            time.sleep(FAULT_SECONDS)
        time.sleep(IDLE_SECONDS)
