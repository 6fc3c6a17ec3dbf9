"""What holds and the archive do by the clock, in the background worker."""

import logging

from app.blueprints.retention import archive
from app.clock import utc_now
from app.config import current_settings
from app.jobs import every
from app.models import blob_outbox, hold
from app.storage import storage

log = logging.getLogger("earmark.retention")


@every("*/5")
def settle_holds() -> None:
    """End holds whose date has come, and mark what newly matches a hold's filter."""
    hold.settle(utc_now())


@every("43")
def forget_archives() -> None:
    """Take out what the archive kept for its days, and blobs that no part names."""
    now = utc_now()
    gone = archive.expire(now, current_settings().archive_days)
    blob_outbox.work_off(storage())
    orphans = archive.remove_orphans(now - archive.ORPHAN_AGE)
    if gone or orphans:
        log.info("archive: %d submissions forgotten, %d orphan blobs removed", gone, orphans)
