"""What the watching does by the clock, in the background worker."""

from app.database.tracking.watch import current_watcher
from app.jobs import every


@every("23")
def prune_statistics() -> None:
    """Delete the figures that are past their time."""
    current_watcher().prune()
