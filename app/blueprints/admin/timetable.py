"""What the worker does for the inbox and the dashboard from time to time."""

from app.clock import utc_now
from app.database.transactions import current_session, transaction
from app.jobs import every
from app.models import acts, rollup, search, snooze

FOLD_SECONDS = 30.0
MERGE_SECONDS = 60.0


@every("*")
def fold_rollups() -> None:
    """Count what came in the last minute into the roll-ups; until then readers count it themselves."""
    rollup.fold_all(FOLD_SECONDS)


@every("53")
def prune_rollups() -> None:
    """Take out rows of the roll-ups whose submissions are all gone."""
    rollup.prune()


@every("43")
def merge_search_index() -> None:
    """Take what was deleted out of the search index; a large rest waits for the next hour."""
    search.merge_deleted(MERGE_SECONDS)


@every("*")
def wake_snoozed() -> None:
    """Bring back what was snoozed until now, with exact counts."""
    now = utc_now()
    while snooze.is_due(current_session(), now):
        with transaction() as session:
            snooze.wake(session, now)


@every("*/10")
def prune_acts() -> None:
    """Forget what submissions were before acts that are too old to be undone."""
    with transaction() as session:
        acts.prune(session, utc_now())
