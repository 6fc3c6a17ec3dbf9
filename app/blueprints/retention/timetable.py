"""What retention does by the clock, in the background worker."""

import logging

from app.blueprints.retention import guards, sweep
from app.blueprints.retention.wanted import How, Wanted
from app.clock import utc_now
from app.config import current_settings
from app.database.transactions import current_session
from app.jobs import every
from app.models import blob_outbox
from app.models.retention_schedule import is_due
from app.storage import storage

log = logging.getLogger("earmark.retention")

# The worker has one thread; pictures wait no longer than this. What is left goes on with the next minute.
BUDGET_SECONDS = 20.0


@every("*")
def delete_owed_blobs() -> None:
    """Delete blobs whose rows went in a transaction that nobody worked off: its process was killed."""
    blob_outbox.work_off(storage())


@every("*")
def sweep_daily() -> None:
    """Carry out the policies when the day's time has come or was missed, a part of it each minute."""
    now = utc_now()
    session = current_session()
    due = is_due(session, now, current_settings().retention_time)
    session.rollback()
    if not due:
        return
    how = How(trigger="timetable", max_seconds=BUDGET_SECONDS, few=guards.FEW, leave_out=True)
    try:
        done = sweep.run(Wanted(), how, now)
        log.info("retention: %s, %d deleted, %d changed", done.outcome, done.submissions, done.changed)
    except sweep.Busy:
        log.info("retention: another sweep is at work")
    except guards.Refused as error:
        log.warning("retention: %s", error.message)
